//! Functions that read the sound of the frame: `get_fft`, `get_wave` and their variants.

use naga::{BinaryOperator, Expression, Literal, MathFunction};

use super::blocks;
use super::context::Lowering;
use super::value::{Fact, Value};
use crate::hlsl::ast::Operator;
use crate::hlsl::extra::{SOUND_VALUES, WAVE_VALUES};
use crate::hlsl::types::{Kind, Shape, Ty};
use crate::preprocess::{Error, Pos};

/// Highest frequency of the spectrum, in Hz: half the sample rate.
const HIGHEST_HZ: f32 = 22_050.0;

/// Upper bound of the magnitude of all values.
const MOST: f32 = 1e6;

impl Lowering<'_> {
    /// Lowers a call to one of the functions. The argument is a position from 0 to 1, or a frequency in Hz.
    pub fn sound(&mut self, name: &str, place: Value, pos: Pos) -> Result<Value, Error> {
        let place = self.convert(place, Ty::FLOAT, pos)?;
        let place = match name {
            "get_fft_hz" | "get_fft_peak_hz" => {
                let highest = Value::float(1.0 / HIGHEST_HZ);
                self.arithmetic(Operator::Multiply, place, highest, Shape::Scalar)
            }
            _ => place,
        };
        Ok(match name {
            "get_fft" | "get_fft_hz" => self.sound_at(blocks::SPECTRUM, SOUND_VALUES, &place),
            "get_fft_peak" | "get_fft_peak_hz" => self.sound_at(blocks::PEAKS, SOUND_VALUES, &place),
            "get_wave_left" => self.sound_at(blocks::LEFT, WAVE_VALUES, &place),
            "get_wave_right" => self.sound_at(blocks::RIGHT, WAVE_VALUES, &place),
            _ => {
                let left = self.sound_at(blocks::LEFT, WAVE_VALUES, &place);
                let right = self.sound_at(blocks::RIGHT, WAVE_VALUES, &place);
                let half = Value::float(0.5);
                self.math(MathFunction::Mix, &[&left, &right, &half], Fact::within(MOST))
            }
        })
    }

    /// Reads an array of `count` values at a position from 0 to 1, interpolated like a texture.
    fn sound_at(&mut self, member: u32, count: usize, place: &Value) -> Value {
        let fact = Fact::within(count as f32);
        let place = self.math(MathFunction::Saturate, &[place], Fact::within(1.0));
        let scaled = self.product(place, Value::float(count as f32), Shape::Scalar);
        let centered = self.arithmetic(Operator::Subtract, scaled, Value::float(0.5), Shape::Scalar);
        let at = self.math(MathFunction::Max, &[&centered, &Value::float(0.0)], fact);
        let floor = self.math(MathFunction::Floor, &[&at], fact);
        let share = self.arithmetic(Operator::Subtract, at, floor.clone(), Shape::Scalar);
        let first = self.with_kind(floor, Kind::Int);
        let one = Value::constant(Kind::Int, Shape::Scalar, [1.0, 0.0, 0.0, 0.0]);
        let second = self.arithmetic(Operator::Add, first.clone(), one, Shape::Scalar);
        let [first, second] = [first, second].map(|index| self.sound_value(member, count, &index));
        self.math(MathFunction::Mix, &[&first, &second, &share], Fact::within(MOST))
    }

    fn sound_value(&mut self, member: u32, count: usize, index: &Value) -> Value {
        let index = self.clamped(index, count as u32);
        let two = self.f.add(Expression::Literal(Literal::U32(2)));
        let three = self.f.add(Expression::Literal(Literal::I32(3)));
        let vector =
            self.f.add(Expression::Binary { op: BinaryOperator::ShiftRight, left: index, right: two });
        let component = self.f.add(Expression::Binary { op: BinaryOperator::And, left: index, right: three });
        let base = self.f.add(Expression::GlobalVariable(self.blocks.extra));
        let array = self.f.add(Expression::AccessIndex { base, index: member });
        let element = self.f.add(Expression::Access { base: array, index: vector });
        let pointer = self.f.add(Expression::Access { base: element, index: component });
        let handle = self.f.add(Expression::Load { pointer });
        Value::new(Ty::FLOAT, handle, Fact::within(MOST))
    }
}
