//! Everything on the GPU: decks, passes, mixer, readback. Never imports mind or audio.
