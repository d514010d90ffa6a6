//! The random stream of `rand`: MT19937 (Matsumoto and Nishimura, 1998), seeded as in ns-eel2 by default.

const SIZE: usize = 624;
const SHIFT: usize = 397;
/// Seed of the default stream, as in ns-eel2.
const DEFAULT_SEED: u32 = 0x4141_f00d;

/// A random stream: a Mersenne Twister.
#[derive(Clone, Debug)]
pub struct EelRandom {
    state: Box<[u32; SIZE]>,
    at: usize,
}

impl Default for EelRandom {
    fn default() -> Self {
        Self::new(DEFAULT_SEED)
    }
}

impl EelRandom {
    /// Creates a stream from `seed`.
    pub fn new(seed: u32) -> Self {
        let mut state = Box::new([0; SIZE]);
        state[0] = seed;
        for i in 1..SIZE {
            let last = state[i - 1];
            state[i] = 1_812_433_253_u32.wrapping_mul(last ^ (last >> 30)).wrapping_add(i as u32);
        }
        Self { state, at: SIZE }
    }

    /// Returns the next 32 random bits.
    pub fn next_u32(&mut self) -> u32 {
        if self.at == SIZE {
            self.refill();
        }
        let mut y = self.state[self.at];
        self.at += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    /// Returns a number from 0 to 1, inclusive.
    pub fn unit(&mut self) -> f64 {
        f64::from(self.next_u32()) / f64::from(u32::MAX)
    }

    /// Returns `rand(limit)`: a random number from 0 to `floor(limit)`, or from 0 to 1 if `floor(limit)` is
    /// below 1.
    pub(super) fn draw(&mut self, limit: f64) -> f64 {
        self.unit() * limit.floor().max(1.0)
    }

    fn refill(&mut self) {
        for i in 0..SIZE {
            let y = (self.state[i] & 0x8000_0000) | (self.state[(i + 1) % SIZE] & 0x7fff_ffff);
            let twist = if y & 1 == 1 { 0x9908_b0df } else { 0 };
            self.state[i] = self.state[(i + SHIFT) % SIZE] ^ (y >> 1) ^ twist;
        }
        self.at = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seed_5489_gives_the_published_first_number() {
        assert_eq!(EelRandom::new(5489).next_u32(), 3_499_211_612);
    }
}
