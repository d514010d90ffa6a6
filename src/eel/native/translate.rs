//! Translates the flat form to Cranelift's intermediate representation.

use std::mem::offset_of;

use cranelift::codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift::codegen::ir::types::{F64, I8, I64};
use cranelift::codegen::ir::{
    AbiParam, Block, BlockArg, Function, InstBuilder, MemFlagsData, SigRef, Signature, Type,
};
use cranelift::codegen::ir::{Value as Ir, immediates::Offset32};
use cranelift::codegen::isa::TargetIsa;
use cranelift::frontend::{FunctionBuilder, FunctionBuilderContext, Variable};

use super::super::flat::{self, Flat, Op, Step, Value};
use super::super::functions::{
    Binary, Comparison, EPSILON, MAX_ITERATIONS, MIN_DIVISOR, MIN_ROOT, Move, Unary,
};
use super::super::memory::{BLOCK, INDEX_TOLERANCE, Memory, SIZE};
use super::super::tree::{Home, Space};
use super::calls::{self, NativeContext};

/// Translates `flat` into the body of `function`, with the signature `fn(context, items) -> finished`.
pub(super) fn translate(
    flat: &Flat,
    isa: &dyn TargetIsa,
    function: &mut Function,
    frontend: &mut FunctionBuilderContext,
) {
    let pointer = isa.pointer_type();
    let mut signature = Signature::new(isa.default_call_conv());
    signature.params.extend([AbiParam::new(pointer), AbiParam::new(I64)]);
    signature.returns.push(AbiParam::new(I64));
    function.signature = signature;
    let mut build = FunctionBuilder::new(function, frontend);
    let entry = build.create_block();
    build.append_block_params_for_function_params(entry);
    build.switch_to_block(entry);
    build.seal_block(entry);
    let (context, items) = (build.block_params(entry)[0], build.block_params(entry)[1]);
    let variable = |build: &mut FunctionBuilder, of, value| {
        let variable = build.declare_var(of);
        build.def_var(variable, value);
        variable
    };
    let load = |build: &mut FunctionBuilder, of, offset: usize| {
        build.ins().load(of, MemFlagsData::trusted(), context, offset as i32)
    };
    let fuel = load(&mut build, I64, offset_of!(NativeContext, fuel));
    let vars = load(&mut build, pointer, offset_of!(NativeContext, vars));
    let regs = load(&mut build, pointer, offset_of!(NativeContext, regs));
    let inputs = load(&mut build, pointer, offset_of!(NativeContext, inputs));
    let outputs = load(&mut build, pointer, offset_of!(NativeContext, outputs));
    let zero = build.ins().iconst(I64, 0);
    let finish = build.create_block();
    let places = flat.places.iter().map(|place| build.declare_var(type_of(place.of))).collect();
    let labels = flat.loops.iter().map(|_| build.create_block()).collect();
    let mut translation = Translation {
        flat,
        pointer,
        convention: isa.default_call_conv(),
        rounds: rounds_inline(),
        context,
        vars,
        regs,
        fuel: variable(&mut build, I64, fuel),
        item: variable(&mut build, I64, zero),
        inputs: variable(&mut build, pointer, inputs),
        outputs: variable(&mut build, pointer, outputs),
        values: vec![Known::Nothing; flat.values.len()],
        places,
        labels,
        finish,
        reachable: true,
        signatures: Vec::new(),
        build,
    };
    translation.function(items);
    translation.build.finalize(isa.frontend_config());
}

/// Returns true if the processor can round in one instruction. Without such an instruction, Cranelift would emit
/// calls to C library functions, which the JIT may fail to resolve.
fn rounds_inline() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("sse4.1");
    #[cfg(not(target_arch = "x86_64"))]
    return true;
}

fn type_of(of: flat::Type) -> Type {
    match of {
        flat::Type::Number => F64,
        flat::Type::Truth => I8,
    }
}

/// What is known about a value of the flat form.
#[derive(Clone, Copy)]
enum Known {
    Nothing,
    Value(Ir),
    /// To be recomputed at each use, which is cheaper than keeping it in a register.
    Recomputed(Op),
}

struct Translation<'a> {
    flat: &'a Flat,
    build: FunctionBuilder<'a>,
    pointer: Type,
    convention: cranelift::codegen::isa::CallConv,
    rounds: bool,
    context: Ir,
    vars: Ir,
    regs: Ir,
    /// Remaining instructions.
    fuel: Variable,
    /// Number of finished items.
    item: Variable,
    /// Pointer to the input row of the current item.
    inputs: Variable,
    /// Pointer to the output row of the current item.
    outputs: Variable,
    values: Vec<Known>,
    places: Vec<Variable>,
    labels: Vec<Block>,
    finish: Block,
    /// False between a jump and the label that follows it.
    reachable: bool,
    /// Signatures of called functions, by whether the context is passed and by the numbers of arguments and
    /// results.
    signatures: Vec<((bool, usize, usize), SigRef)>,
}

impl Translation<'_> {
    fn function(&mut self, items: Ir) {
        for (at, place) in self.flat.places.iter().enumerate() {
            if let Some(home) = place.home {
                let value = self.load_home(home, MemFlagsData::trusted());
                self.build.def_var(self.places[at], value);
            }
        }
        let (first, each) = (self.build.create_block(), self.build.create_block());
        self.spend(self.flat.cost, first);
        self.begin(first);
        self.steps(&self.flat.once);
        self.build.ins().jump(each, NO_ARGS);
        self.build.switch_to_block(each);
        if !self.flat.batch {
            self.build.seal_block(each);
        }
        self.steps(&self.flat.each);
        self.advance(self.item, 1);
        if self.flat.batch {
            self.next_item(items, each);
            self.build.seal_block(each);
        } else {
            self.build.ins().jump(self.finish, NO_ARGS);
        }
        self.begin(self.finish);
        self.save();
    }

    /// Emits code that runs `each` again while items and instructions remain.
    fn next_item(&mut self, items: Ir, each: Block) {
        self.advance(self.inputs, i64::from(self.flat.inputs) * 8);
        self.advance(self.outputs, i64::from(self.flat.outputs) * 8);
        let item = self.build.use_var(self.item);
        let more = self.build.ins().icmp(IntCC::UnsignedLessThan, item, items);
        let next = self.build.create_block();
        self.build.ins().brif(more, next, NO_ARGS, self.finish, NO_ARGS);
        self.begin(next);
        self.spend(self.flat.cost, each);
    }

    /// Emits code that saves every place with a home to its variable or register, then returns the number of finished
    /// items.
    fn save(&mut self) {
        for (at, place) in self.flat.places.iter().enumerate() {
            if let Some(home) = place.home {
                let value = self.build.use_var(self.places[at]);
                let (base, offset) = self.address(home);
                self.build.ins().store(MemFlagsData::trusted(), value, base, offset);
            }
        }
        self.store_fuel();
        let finished = self.build.use_var(self.item);
        self.build.ins().return_(&[finished]);
    }

    fn begin(&mut self, block: Block) {
        self.build.switch_to_block(block);
        self.build.seal_block(block);
    }

    fn advance(&mut self, variable: Variable, by: i64) {
        let value = self.build.use_var(variable);
        let value = self.build.ins().iadd_imm_s(value, by);
        self.build.def_var(variable, value);
    }

    /// Emits code that charges `cost` instructions and jumps to `next`, or ends the run if none are left.
    fn spend(&mut self, cost: u32, next: Block) {
        self.advance(self.fuel, -i64::from(cost));
        let fuel = self.build.use_var(self.fuel);
        let left = self.build.ins().icmp_imm_s(IntCC::SignedGreaterThan, fuel, 0);
        self.build.ins().brif(left, next, NO_ARGS, self.finish, NO_ARGS);
    }

    fn store_fuel(&mut self) {
        let fuel = self.build.use_var(self.fuel);
        let offset = offset_of!(NativeContext, fuel) as i32;
        self.build.ins().store(MemFlagsData::trusted(), fuel, self.context, offset);
    }

    fn load_fuel(&mut self) {
        let offset = offset_of!(NativeContext, fuel) as i32;
        let fuel = self.build.ins().load(I64, MemFlagsData::trusted(), self.context, offset);
        self.build.def_var(self.fuel, fuel);
    }

    fn address(&self, home: Home) -> (Ir, Offset32) {
        match home {
            Home::Variable(slot) => (self.vars, Offset32::new(slot as i32 * 8)),
            Home::Register(number) => (self.regs, Offset32::new(i32::from(number) * 8)),
        }
    }

    fn load_home(&mut self, home: Home, flags: MemFlagsData) -> Ir {
        let (base, offset) = self.address(home);
        self.build.ins().load(F64, flags, base, offset)
    }

    // Steps.

    fn steps(&mut self, steps: &[Step]) {
        for step in steps {
            let known = match step.op {
                Op::Constant(_) | Op::Initial(_) => Known::Recomputed(step.op),
                op => match self.op(op) {
                    Some(value) => Known::Value(value),
                    None => continue,
                },
            };
            if let Some(result) = step.result {
                self.values[result.0 as usize] = known;
            }
        }
    }

    fn get(&mut self, value: Value) -> Ir {
        match self.values[value.0 as usize] {
            Known::Value(value) => value,
            Known::Recomputed(Op::Initial(home)) => {
                self.load_home(home, MemFlagsData::trusted().with_readonly())
            }
            Known::Recomputed(Op::Constant(bits)) => self.number(f64::from_bits(bits)),
            Known::Recomputed(_) | Known::Nothing => self.number(0.0),
        }
    }

    fn constant(&self, value: Value) -> Option<f64> {
        match self.values[value.0 as usize] {
            Known::Recomputed(Op::Constant(bits)) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    fn number(&mut self, number: f64) -> Ir {
        self.build.ins().f64const(number)
    }

    /// Translates an operation; returns the result, if the operation has one.
    fn op(&mut self, op: Op) -> Option<Ir> {
        Some(match op {
            Op::Constant(bits) => self.number(f64::from_bits(bits)),
            Op::Initial(home) => self.load_home(home, MemFlagsData::trusted()),
            Op::Input(column) => {
                let row = self.build.use_var(self.inputs);
                self.build.ins().load(F64, MemFlagsData::trusted(), row, column as i32 * 8)
            }
            Op::Get(place) => self.build.use_var(self.places[place.0 as usize]),
            Op::Set(place, value) => {
                let value = self.get(value);
                self.build.def_var(self.places[place.0 as usize], value);
                return None;
            }
            Op::Unary(unary, a) => self.unary(unary, a),
            Op::Binary(binary, a, b) => self.binary(binary, a, b),
            Op::Iterations(a) => {
                let count = self.int(a);
                let (least, most) = (self.int_constant(0), self.int_constant(i64::from(MAX_ITERATIONS)));
                let count = self.build.ins().smax(count, least);
                let count = self.build.ins().smin(count, most);
                self.build.ins().fcvt_from_sint(F64, count)
            }
            Op::Compare(comparison, a, b) => self.compare(comparison, a, b),
            Op::IsTrue(a) => {
                let a = self.get(a);
                self.is_true(a)
            }
            Op::Number(a) => {
                let a = self.get(a);
                self.truth_to_number(a)
            }
            Op::Not(a) => {
                let a = self.get(a);
                self.build.ins().bxor_imm_u(a, 1)
            }
            Op::And(a, b) => {
                let (a, b) = (self.get(a), self.get(b));
                self.build.ins().band(a, b)
            }
            Op::Or(a, b) => {
                let (a, b) = (self.get(a), self.get(b));
                self.build.ins().bor(a, b)
            }
            Op::Select(condition, a, b) => {
                let (condition, a, b) = (self.get(condition), self.get(a), self.get(b));
                self.build.ins().select(condition, a, b)
            }
            Op::Load(space, index) => self.load(space, index),
            Op::Store(space, index, value) => {
                self.store(space, index, value);
                return None;
            }
            Op::Random(a) => {
                let a = self.get(a);
                self.call(calls::random as *const () as usize, true, &[a], 1)?
            }
            Op::Free(a) => {
                let a = self.get(a);
                self.call_spending(calls::free as *const () as usize, &[a], 1)?
            }
            Op::Move(function, a, b, c) => {
                let arguments = [self.get(a), self.get(b), self.get(c)];
                let function = match function {
                    Move::Copy => calls::copy as *const () as usize,
                    Move::Set => calls::set as *const () as usize,
                };
                self.call_spending(function, &arguments, 1)?
            }
            Op::Output(column, value) => {
                let (row, value) = (self.build.use_var(self.outputs), self.get(value));
                self.build.ins().store(MemFlagsData::trusted(), value, row, column as i32 * 8);
                return None;
            }
            Op::Charge(cost) => {
                self.advance(self.fuel, -i64::from(cost));
                return None;
            }
            Op::Checkpoint(cost) => {
                let next = self.build.create_block();
                self.spend(cost, next);
                self.begin(next);
                return None;
            }
            Op::Label(label) => {
                let block = self.labels[label.0 as usize];
                if self.reachable {
                    self.build.ins().jump(block, NO_ARGS);
                }
                self.reachable = true;
                self.build.switch_to_block(block);
                // A loop header is sealed at the jump back to it.
                if !self.is_loop(label) {
                    self.build.seal_block(block);
                }
                return None;
            }
            Op::Jump(label) => {
                let block = self.labels[label.0 as usize];
                self.build.ins().jump(block, NO_ARGS);
                if self.is_loop(label) {
                    self.build.seal_block(block);
                }
                self.reachable = false;
                return None;
            }
            Op::Unless(condition, label) => {
                let condition = self.get(condition);
                let next = self.build.create_block();
                self.build.ins().brif(condition, next, NO_ARGS, self.labels[label.0 as usize], NO_ARGS);
                self.begin(next);
                return None;
            }
        })
    }

    fn is_loop(&self, label: flat::Label) -> bool {
        self.flat.loops[label.0 as usize]
    }

    // Numbers.

    fn unary(&mut self, unary: Unary, a: Value) -> Ir {
        let x = self.get(a);
        match unary {
            Unary::Negate => self.build.ins().fneg(x),
            Unary::Abs => self.build.ins().fabs(x),
            Unary::Square => self.build.ins().fmul(x, x),
            Unary::SquareRoot => {
                let x = self.build.ins().fabs(x);
                self.build.ins().sqrt(x)
            }
            Unary::InverseSquareRoot => {
                let x = self.build.ins().fabs(x);
                let root = self.build.ins().sqrt(x);
                let least = self.number(MIN_ROOT);
                let enough = self.build.ins().fcmp(FloatCC::GreaterThan, root, least);
                let root = self.build.ins().select(enough, root, least);
                let one = self.number(1.0);
                self.build.ins().fdiv(one, root)
            }
            Unary::Sign => {
                let zero = self.number(0.0);
                let above = self.build.ins().fcmp(FloatCC::GreaterThan, x, zero);
                let below = self.build.ins().fcmp(FloatCC::LessThan, x, zero);
                let (above, below) = (self.truth_to_number(above), self.truth_to_number(below));
                self.build.ins().fsub(above, below)
            }
            Unary::Floor if self.rounds => self.build.ins().floor(x),
            Unary::Ceil if self.rounds => self.build.ins().ceil(x),
            _ => self.call_number(calls::unary(unary), &[x]),
        }
    }

    fn binary(&mut self, binary: Binary, a: Value, b: Value) -> Ir {
        let (x, y) = (self.get(a), self.get(b));
        match binary {
            Binary::Add => self.build.ins().fadd(x, y),
            Binary::Subtract => self.build.ins().fsub(x, y),
            Binary::Multiply => self.build.ins().fmul(x, y),
            Binary::Divide => {
                let quotient = self.build.ins().fdiv(x, y);
                if self.constant(b).is_some_and(|divisor| divisor.abs() >= MIN_DIVISOR) {
                    return quotient;
                }
                let (size, least) = (self.build.ins().fabs(y), self.number(MIN_DIVISOR));
                let too_small = self.build.ins().fcmp(FloatCC::LessThan, size, least);
                let zero = self.number(0.0);
                self.build.ins().select(too_small, zero, quotient)
            }
            Binary::Modulo => self.modulo(a, b),
            Binary::BitOr => {
                let (x, y) = (self.int(a), self.int(b));
                let bits = self.build.ins().bor(x, y);
                self.build.ins().fcvt_from_sint(F64, bits)
            }
            Binary::BitAnd => {
                let (x, y) = (self.int(a), self.int(b));
                let bits = self.build.ins().band(x, y);
                self.build.ins().fcvt_from_sint(F64, bits)
            }
            Binary::BitXor => {
                let (x, y) = (self.int(a), self.int(b));
                let bits = self.build.ins().bxor(x, y);
                self.build.ins().fcvt_from_sint(F64, bits)
            }
            Binary::ShiftLeft => {
                let (x, y) = (self.int(a), self.int(b));
                let bits = self.build.ins().ishl(x, y);
                self.build.ins().fcvt_from_sint(F64, bits)
            }
            Binary::ShiftRight => {
                let (x, y) = (self.int(a), self.int(b));
                let bits = self.build.ins().sshr(x, y);
                self.build.ins().fcvt_from_sint(F64, bits)
            }
            Binary::Compare(comparison) => {
                let truth = self.compare(comparison, a, b);
                self.truth_to_number(truth)
            }
            Binary::Both => {
                let (x, y) = (self.is_true(x), self.is_true(y));
                let both = self.build.ins().band(x, y);
                self.truth_to_number(both)
            }
            Binary::Either => {
                let (x, y) = (self.is_true(x), self.is_true(y));
                let either = self.build.ins().bor(x, y);
                self.truth_to_number(either)
            }
            Binary::Min => {
                let less = self.build.ins().fcmp(FloatCC::LessThan, x, y);
                self.build.ins().select(less, x, y)
            }
            Binary::Max => {
                let greater = self.build.ins().fcmp(FloatCC::GreaterThan, x, y);
                self.build.ins().select(greater, x, y)
            }
            Binary::Power | Binary::Atan2 | Binary::Sigmoid => {
                self.call_number(calls::binary(binary), &[x, y])
            }
        }
    }

    /// Emits a remainder. A divisor of 0 is replaced with 1, so that the remainder is 0.
    fn modulo(&mut self, a: Value, b: Value) -> Ir {
        let (x, divisor) = (self.int(a), self.int(b));
        let (zero, one) = (self.int_constant(0), self.int_constant(1));
        let divisor = match self.constant(b).map(|number| number as i64) {
            Some(0) => one,
            Some(_) => divisor,
            None => {
                let is_zero = self.build.ins().icmp(IntCC::Equal, divisor, zero);
                self.build.ins().select(is_zero, one, divisor)
            }
        };
        let remainder = self.build.ins().srem(x, divisor);
        self.build.ins().fcvt_from_sint(F64, remainder)
    }

    fn compare(&mut self, comparison: Comparison, a: Value, b: Value) -> Ir {
        let (x, y) = (self.get(a), self.get(b));
        let condition = match comparison {
            Comparison::Less => FloatCC::LessThan,
            Comparison::Greater => FloatCC::GreaterThan,
            Comparison::LessEqual => FloatCC::LessThanOrEqual,
            Comparison::GreaterEqual => FloatCC::GreaterThanOrEqual,
            Comparison::Equal | Comparison::NotEqual => {
                let difference = self.build.ins().fsub(x, y);
                let distance = self.build.ins().fabs(difference);
                let tolerance = self.number(EPSILON);
                let condition = match comparison {
                    Comparison::Equal => FloatCC::LessThan,
                    _ => FloatCC::GreaterThanOrEqual,
                };
                return self.build.ins().fcmp(condition, distance, tolerance);
            }
        };
        self.build.ins().fcmp(condition, x, y)
    }

    fn is_true(&mut self, number: Ir) -> Ir {
        let size = self.build.ins().fabs(number);
        let tolerance = self.number(EPSILON);
        self.build.ins().fcmp(FloatCC::GreaterThan, size, tolerance)
    }

    fn truth_to_number(&mut self, truth: Ir) -> Ir {
        let (one, zero) = (self.number(1.0), self.number(0.0));
        self.build.ins().select(truth, one, zero)
    }

    fn int(&mut self, a: Value) -> Ir {
        if let Some(number) = self.constant(a) {
            return self.int_constant(number as i64);
        }
        let number = self.get(a);
        self.build.ins().fcvt_to_sint_sat(I64, number)
    }

    fn int_constant(&mut self, number: i64) -> Ir {
        self.build.ins().iconst(I64, number)
    }

    // Memory.

    /// Emits a check of `index`: execution continues in a new block if it is valid, otherwise in `outside`.
    /// Returns the address as an integer.
    fn checked_address(&mut self, index: Value, outside: Block) -> Ir {
        let index = self.get(index);
        let tolerance = self.number(INDEX_TOLERANCE);
        let sum = self.build.ins().fadd(index, tolerance);
        // Numbers in (-1, 0) truncate to 0 here but are not valid indexes.
        let zero = self.number(0.0);
        let positive = self.build.ins().fcmp(FloatCC::GreaterThanOrEqual, sum, zero);
        let address = self.build.ins().fcvt_to_sint_sat(I64, sum);
        let within = self.build.ins().icmp_imm_u(IntCC::UnsignedLessThan, address, SIZE as i64);
        let valid = self.build.ins().band(positive, within);
        let inside = self.build.create_block();
        self.build.ins().brif(valid, inside, NO_ARGS, outside, NO_ARGS);
        self.begin(inside);
        address
    }

    /// Returns the address of an index. Unless the index is a valid constant, execution may continue in
    /// `outside`.
    fn address_of(&mut self, index: Value, outside: Block) -> Ir {
        match self.constant(index).map(Memory::address) {
            Some(Some(address)) => self.int_constant(address as i64),
            _ => self.checked_address(index, outside),
        }
    }

    /// Returns a pointer to the block that contains `address`, null if unallocated, and the offset within it
    /// in bytes.
    fn block(&mut self, space: Space, address: Ir) -> (Ir, Ir) {
        let number = self.build.ins().ushr_imm_u(address, i64::from(BLOCK.trailing_zeros()));
        let slot = self.build.ins().ishl_imm_u(number, 3);
        let slot = self.build.ins().iadd(self.context, slot);
        let table = match space {
            Space::Local => offset_of!(NativeContext, local),
            Space::Global => offset_of!(NativeContext, global),
        };
        let block = self.build.ins().load(self.pointer, MemFlagsData::trusted(), slot, table as i32);
        let within = self.build.ins().band_imm_u(address, BLOCK as i64 - 1);
        let offset = self.build.ins().ishl_imm_u(within, 3);
        (block, offset)
    }

    fn load(&mut self, space: Space, index: Value) -> Ir {
        let (present, end) = (self.build.create_block(), self.build.create_block());
        let absent = self.build.create_block();
        let result = self.build.append_block_param(end, F64);
        let address = self.address_of(index, absent);
        let (block, offset) = self.block(space, address);
        self.build.ins().brif(block, present, NO_ARGS, absent, NO_ARGS);
        self.begin(present);
        let at = self.build.ins().iadd(block, offset);
        let number = self.build.ins().load(F64, MemFlagsData::trusted(), at, 0);
        self.build.ins().jump(end, &[BlockArg::Value(number)]);
        self.begin(absent);
        let zero = self.number(0.0);
        self.build.ins().jump(end, &[BlockArg::Value(zero)]);
        self.begin(end);
        result
    }

    fn store(&mut self, space: Space, index: Value, value: Value) {
        let [present, absent, allocate, end] = std::array::from_fn(|_| self.build.create_block());
        self.build.set_cold_block(absent);
        self.build.set_cold_block(allocate);
        let number = self.get(value);
        let address = self.address_of(index, end);
        let (block, offset) = self.block(space, address);
        self.build.ins().brif(block, present, NO_ARGS, absent, NO_ARGS);
        self.begin(present);
        let at = self.build.ins().iadd(block, offset);
        self.build.ins().store(MemFlagsData::trusted(), number, at, 0);
        self.build.ins().jump(end, NO_ARGS);
        // Storing 0 does not need a block.
        self.begin(absent);
        let zero = self.number(0.0);
        let is_zero = self.build.ins().fcmp(FloatCC::Equal, number, zero);
        self.build.ins().brif(is_zero, end, NO_ARGS, allocate, NO_ARGS);
        self.begin(allocate);
        let arguments = [self.get(index), number];
        let function = match space {
            Space::Local => calls::store_local as *const () as usize,
            Space::Global => calls::store_global as *const () as usize,
        };
        self.call_spending(function, &arguments, 0);
        self.build.ins().jump(end, NO_ARGS);
        self.begin(end);
    }

    // Calls.

    /// Emits a call to a numeric function.
    fn call_number(&mut self, function: Option<usize>, arguments: &[Ir]) -> Ir {
        match function.and_then(|function| self.call(function, false, arguments, 1)) {
            Some(result) => result,
            None => self.number(0.0),
        }
    }

    /// Emits a call to a function that may spend instructions.
    fn call_spending(&mut self, function: usize, arguments: &[Ir], results: usize) -> Option<Ir> {
        self.store_fuel();
        let result = self.call(function, true, arguments, results);
        self.load_fuel();
        result
    }

    fn call(&mut self, function: usize, with_context: bool, arguments: &[Ir], results: usize) -> Option<Ir> {
        let signature = self.signature((with_context, arguments.len(), results));
        let callee = self.build.ins().iconst(self.pointer, function as i64);
        let mut all = Vec::with_capacity(4);
        all.extend(with_context.then_some(self.context));
        all.extend_from_slice(arguments);
        let call = self.build.ins().call_indirect(signature, callee, &all);
        self.build.inst_results(call).first().copied()
    }

    fn signature(&mut self, key: (bool, usize, usize)) -> SigRef {
        if let Some(&(_, signature)) = self.signatures.iter().find(|(known, _)| *known == key) {
            return signature;
        }
        let (with_context, arguments, results) = key;
        let mut signature = Signature::new(self.convention);
        signature.params.extend(with_context.then(|| AbiParam::new(self.pointer)));
        signature.params.extend(std::iter::repeat_n(AbiParam::new(F64), arguments));
        signature.returns.extend(std::iter::repeat_n(AbiParam::new(F64), results));
        let signature = self.build.import_signature(signature);
        self.signatures.push((key, signature));
        signature
    }
}

const NO_ARGS: &[BlockArg] = &[];
