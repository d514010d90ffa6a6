//! State shared by the parts of the lowering: the tree, the module and the function being built.

use std::collections::{HashMap, HashSet};

use lactea_abi::{PassKind, ShaderInterface};
use naga::{
    AddressSpace, ArraySize, Expression, Function, GlobalVariable, Handle, Module, Scalar, Span,
    StructMember, Type, TypeInner, VectorSize,
};

use super::blocks::{self, Blocks};
use super::builder::{Builder, Part, Place, State, Symbol, VarId};
use super::value::{Fact, Value};
use crate::hlsl::ast::Ast;
use crate::hlsl::cost::LoopBounds;
use crate::hlsl::header::Input;
use crate::hlsl::types::{Kind, Shape, Ty};
use crate::preprocess::{Error, Name, Pos};

/// A global variable of the preset.
#[derive(Clone)]
pub(super) enum Global {
    /// A value that never changes.
    Constant(Value),
    Variable(Handle<GlobalVariable>, Ty),
    Sampler,
}

/// A function that has been lowered.
#[derive(Clone, Copy)]
pub(super) struct LoweredFunction {
    pub handle: Handle<Function>,
    /// Total size of the arrays and structs that it declares and copies, with every call inlined, in bytes.
    pub bytes: u64,
}

/// The lowering of one shader. The other files in this folder add the methods.
pub(super) struct Lowering<'a> {
    pub ast: &'a Ast,
    pub kind: PassKind,
    pub bounds: LoopBounds,
    pub module: Module,
    layouter: naga::proc::Layouter,
    /// naga types created so far.
    types: HashMap<Ty, Handle<Type>>,
    pub f: Builder,
    pub interface: ShaderInterface,
    /// Texture and sampler variables, in the order of the interface's textures.
    pub textures: Vec<(Handle<GlobalVariable>, Handle<GlobalVariable>)>,
    pub blocks: Blocks,
    pub globals: HashMap<Name, Global>,
    /// Names that the shader assigns to.
    pub changed: HashSet<Name>,
    /// Functions lowered so far, by index and sampler arguments.
    pub functions: HashMap<(usize, Vec<Name>), LoweredFunction>,
    /// Indices of the functions being called, outermost first.
    pub calls: Vec<usize>,
    /// Return type of the function being lowered; `None` for the shader body.
    pub result: Option<Ty>,
    pub inputs: HashMap<Input, VarId>,
    /// The output colour, `ret`.
    pub ret: Place,
    pub reads_diffuse: bool,
    pub reads_source: bool,
    pub reads_polar: bool,
    /// Variable that counts loop iterations; `None` until a loop needs it.
    pub counter: Option<Handle<GlobalVariable>>,
}

impl<'a> Lowering<'a> {
    pub fn new(ast: &'a Ast, kind: PassKind, bounds: LoopBounds, changed: HashSet<Name>) -> Self {
        let mut module = Module::default();
        let blocks = blocks::declare(&mut module);
        let mut f = Builder::new("shade");
        let ty = Ty::vector(3);
        let inner = TypeInner::Vector { size: VectorSize::Tri, scalar: Scalar::F32 };
        let handle = module.types.insert(Type { name: None, inner }, Span::UNDEFINED);
        let var = f.local("ret", ty, handle);
        let constant = Some([0.0; 4]);
        f.set_state(var, State { fact: Fact::within(0.0), constant });
        let ret = Place { pointer: f.vars[var].pointer, ty, var: Some(var), part: Part::All };
        f.bind("ret".into(), Symbol::Var(var));
        Self {
            ast,
            kind,
            bounds,
            module,
            layouter: naga::proc::Layouter::default(),
            types: HashMap::new(),
            f,
            interface: ShaderInterface::default(),
            textures: Vec::new(),
            blocks,
            globals: HashMap::new(),
            changed,
            functions: HashMap::new(),
            calls: Vec::new(),
            result: None,
            inputs: HashMap::new(),
            ret,
            reads_diffuse: false,
            reads_source: false,
            reads_polar: false,
            counter: None,
        }
    }

    pub fn insert(&mut self, inner: TypeInner) -> Handle<Type> {
        self.module.types.insert(Type { name: None, inner }, Span::UNDEFINED)
    }

    /// Returns naga's type for `ty`. The rows of an HLSL matrix become the columns of the naga matrix.
    pub fn naga_type(&mut self, ty: Ty) -> Handle<Type> {
        if let Some(known) = self.types.get(&ty) {
            return *known;
        }
        let inner = match ty {
            Ty::Number(kind, Shape::Scalar) => TypeInner::Scalar(scalar(kind)),
            Ty::Number(kind, Shape::Vector(n)) => TypeInner::Vector { size: size(n), scalar: scalar(kind) },
            Ty::Number(_, Shape::Matrix(rows, columns)) => {
                TypeInner::Matrix { columns: size(rows), rows: size(columns), scalar: Scalar::F32 }
            }
            Ty::Array(index) => {
                let array = self.ast.arrays[index as usize];
                let base = self.naga_type(array.element);
                let layout = self.layout(base);
                let length = std::num::NonZeroU32::new(array.length).unwrap_or(std::num::NonZeroU32::MIN);
                TypeInner::Array { base, size: ArraySize::Constant(length), stride: layout.to_stride() }
            }
            Ty::Struct(index) => self.struct_type(index as usize),
            Ty::Void | Ty::Sampler => TypeInner::Scalar(Scalar::F32),
        };
        let handle = self.insert(inner);
        self.types.insert(ty, handle);
        handle
    }

    fn struct_type(&mut self, index: usize) -> TypeInner {
        let fields: Vec<(Name, Ty)> = self.ast.structs[index].fields.clone();
        let mut members = Vec::with_capacity(fields.len());
        let (mut offset, mut alignment) = (0, naga::proc::Alignment::ONE);
        for (name, ty) in fields {
            let ty = self.naga_type(ty);
            let layout = self.layout(ty);
            offset = layout.alignment.round_up(offset);
            alignment = alignment.max(layout.alignment);
            members.push(StructMember { name: Some(name.to_string()), ty, binding: None, offset });
            offset += layout.size;
        }
        TypeInner::Struct { members, span: alignment.round_up(offset) }
    }

    fn layout(&mut self, ty: Handle<Type>) -> naga::proc::TypeLayout {
        // Cannot fail, because all types have a known size.
        let _ = self.layouter.update(self.module.to_ctx());
        self.layouter[ty]
    }

    /// Adds a private variable initialized to zero.
    pub fn private(&mut self, name: &str, ty: Handle<Type>) -> Handle<GlobalVariable> {
        let init = self.module.global_expressions.append(Expression::ZeroValue(ty), Span::UNDEFINED);
        let variable = GlobalVariable {
            name: Some(name.to_owned()),
            space: AddressSpace::Private,
            binding: None,
            ty,
            init: Some(init),
            memory_decorations: Default::default(),
        };
        self.module.global_variables.append(variable, Span::UNDEFINED)
    }

    /// Adds a local variable to the function being built.
    pub fn local(&mut self, name: &str, ty: Ty) -> VarId {
        let handle = self.naga_type(ty);
        self.count_bytes(ty);
        self.f.local(name, ty, handle)
    }

    /// Adds the size of an array or struct to the bytes that the function being built declares and copies; ignores
    /// other types.
    pub fn count_bytes(&mut self, ty: Ty) {
        if matches!(ty, Ty::Array(_) | Ty::Struct(_)) {
            self.f.bytes = self.f.bytes.saturating_add(self.ast.extent(ty).bytes);
        }
    }

    /// Returns the name of a type, for messages.
    pub fn type_name(&self, ty: Ty) -> String {
        match ty {
            Ty::Void => "void".to_owned(),
            Ty::Sampler => "sampler".to_owned(),
            Ty::Struct(index) => format!("struct {}", self.ast.structs[index as usize].name),
            Ty::Array(index) => {
                let array = self.ast.arrays[index as usize];
                format!("{}[{}]", self.type_name(array.element), array.length)
            }
            Ty::Number(kind, shape) => {
                let kind = match kind {
                    Kind::Bool => "bool",
                    Kind::Int => "int",
                    Kind::Uint => "uint",
                    Kind::Float => "float",
                };
                match shape {
                    Shape::Scalar => kind.to_owned(),
                    Shape::Vector(n) => format!("{kind}{n}"),
                    Shape::Matrix(rows, columns) => format!("{kind}{rows}x{columns}"),
                }
            }
        }
    }

    pub fn cannot<T>(&self, pos: Pos, what: &str, from: Ty, to: Ty) -> Result<T, Error> {
        Error::semantic(pos, format!("cannot {what} {} to {}", self.type_name(from), self.type_name(to)))
    }
}

/// Returns the scalar type of `kind`.
pub(super) fn scalar(kind: Kind) -> Scalar {
    match kind {
        Kind::Bool => Scalar::BOOL,
        Kind::Int => Scalar::I32,
        Kind::Uint => Scalar::U32,
        Kind::Float => Scalar::F32,
    }
}

/// Returns the size of a vector with two to four components.
pub(super) fn size(components: u8) -> VectorSize {
    match components {
        0..=2 => VectorSize::Bi,
        3 => VectorSize::Tri,
        _ => VectorSize::Quad,
    }
}
