//! The whole shader: global variables, body and entry points. `fs_main` takes its inputs from the mesh,
//! interpolated; `fs_image` reads them from textures.
//!
//! With the textures, a single triangle can cover the picture. A software rasteriser shades blocks of 4 x 4
//! pixels once per triangle that touches them, so small triangles are expensive.

use lactea_abi::{FRAGMENT_ENTRY, PassKind};
use naga::{
    AddressSpace, Binding as IoBinding, BuiltIn, EntryPoint, Expression, Function, FunctionArgument,
    FunctionResult, GlobalVariable, Handle, ImageClass, ImageDimension, Interpolation, Literal,
    ResourceBinding, Sampling, ScalarKind, ShaderStage, Span, Statement, SwizzleComponent, TypeInner,
    VectorSize,
};

use super::builder::{Builder, State};
use super::context::{Global, Lowering};
use super::value::{Fact, Value};
use crate::hlsl::ast::{Ast, Variable};
use crate::hlsl::cost::LoopBounds;
use crate::hlsl::header::{self, Builtin, Input};
use crate::hlsl::limits;
use crate::hlsl::scan::Changes;
use crate::hlsl::translation::{IMAGE_ENTRY, Translation};
use crate::hlsl::types::{Kind, Shape, Ty};
use crate::preprocess::{Error, Pos};

/// Lowers a shader.
pub(in crate::hlsl) fn lower(ast: &Ast, kind: PassKind, bounds: LoopBounds) -> Result<Translation, Error> {
    let mut lowering = Lowering::new(ast, kind, bounds, Changes::all(ast));
    lowering.inputs();
    lowering.changed_uniforms();
    for global in &ast.globals {
        lowering.global(global)?;
    }
    lowering.f.open_scope();
    lowering.statements(&ast.body)?;
    if lowering.f.bytes > limits::COPIED_BYTES {
        let (bytes, limit) = (lowering.f.bytes, limits::COPIED_BYTES);
        let message = format!("{bytes} bytes of declared and copied arrays; the limit is {limit}");
        return Error::limit(Pos::default(), message);
    }
    if !lowering.f.ended {
        let value = Some(lowering.shader_result());
        lowering.f.push(Statement::Return { value });
    }
    Ok(lowering.finish())
}

impl Lowering<'_> {
    /// Copies the per-pixel inputs to variables, because a shader may modify them.
    fn inputs(&mut self) {
        let four = self.naga_type(Ty::vector(4));
        let two = self.naga_type(Ty::vector(2));
        for (name, ty) in [("diffuse", four), ("uv", four), ("rad_ang", two)] {
            self.f.function.arguments.push(FunctionArgument {
                name: Some(name.to_owned()),
                ty,
                binding: None,
            });
        }
        self.f.function.result = Some(FunctionResult { ty: four, binding: None });
        let [diffuse, uv, polar] = [0, 1, 2].map(|index| {
            let handle = self.f.add(Expression::FunctionArgument(index));
            Value::new(Ty::vector(if index == 2 { 2 } else { 4 }), handle, Fact::within(1e6))
        });
        // In a composite shader, `uv` and `uv_orig` share one variable.
        let parts: &[(Input, &Value, &[u8])] = &[
            (Input::Uv, &uv, &[0, 1]),
            (Input::UvOrig, &uv, &[2, 3]),
            (Input::Radius, &polar, &[0]),
            (Input::Angle, &polar, &[1]),
            (Input::Hue, &diffuse, &[0, 1, 2]),
        ];
        for (input, from, components) in parts {
            if *input == Input::UvOrig && self.kind == PassKind::Comp {
                let same = self.inputs[&Input::Uv];
                self.inputs.insert(*input, same);
                continue;
            }
            let value = self.swizzle(from, components);
            let var = self.local(&format!("{input:?}").to_lowercase(), value.ty);
            let (pointer, handle) = (self.f.vars[var].pointer, self.expr(&value));
            self.f.store(pointer, handle);
            self.f.set_state(var, State { fact: value.fact, constant: None });
            self.inputs.insert(*input, var);
        }
    }

    /// Creates variables for the uniforms that the shader assigns to.
    fn changed_uniforms(&mut self) {
        let mut names: Vec<_> = self.changed.iter().cloned().collect();
        names.sort();
        for name in names {
            let Some(Builtin::Uniform(register, first, count)) = header::builtin(&name) else { continue };
            let value = self.register(register, first, count);
            let ty = self.naga_type(value.ty);
            let handle = self.private(&name, ty);
            let pointer = self.f.add(Expression::GlobalVariable(handle));
            let copy = self.expr(&value);
            self.f.store(pointer, copy);
            self.globals.insert(name, Global::Variable(handle, value.ty));
        }
    }

    /// Declares a global variable of the preset. Its initializer runs for each pixel.
    fn global(&mut self, variable: &Variable) -> Result<(), Error> {
        let name = &variable.name;
        let global = if variable.ty == Ty::Sampler {
            Global::Sampler
        } else if name.starts_with("texsize_") || variable.init.is_none() && header::builtin(name).is_some() {
            // aivj supplies the values of texture sizes and built-ins.
            return Ok(());
        } else {
            let init = variable.init.map(|init| self.initial(variable.ty, init)).transpose()?;
            let init = match init {
                Some(init) => init,
                None => self.zero(variable.ty),
            };
            if init.as_constant().is_some() && (variable.is_const || !self.changed.contains(name)) {
                Global::Constant(init)
            } else {
                let ty = self.naga_type(variable.ty);
                let handle = self.private(name, ty);
                if variable.init.is_some() {
                    let pointer = self.f.add(Expression::GlobalVariable(handle));
                    let value = self.expr(&init);
                    self.f.store(pointer, value);
                }
                Global::Variable(handle, variable.ty)
            }
        };
        self.globals.insert(name.clone(), global);
        Ok(())
    }

    fn finish(mut self) -> Translation {
        let shade = std::mem::replace(&mut self.f, Builder::new("")).finish();
        let shade = self.module.functions.append(shade, Span::UNDEFINED);
        let mesh = self.mesh_entry(shade);
        let image = self.image_entry(shade);
        for (name, function) in [(FRAGMENT_ENTRY, mesh), (IMAGE_ENTRY, image)] {
            self.module.entry_points.push(EntryPoint {
                name: name.to_owned(),
                stage: ShaderStage::Fragment,
                early_depth_test: None,
                workgroup_size: [0; 3],
                workgroup_size_overrides: None,
                function,
                mesh_info: None,
                task_payload: None,
                incoming_ray_payload: None,
            });
        }
        let Self { module, interface, reads_diffuse, reads_source, reads_polar, .. } = self;
        Translation { module, interface, reads_diffuse, reads_source, reads_polar }
    }

    /// Starts building an entry point.
    fn start_entry(&mut self, name: &str) {
        self.f = Builder::new(name);
        let ty = self.naga_type(Ty::vector(4));
        let binding = Some(IoBinding::Location {
            location: 0,
            interpolation: None,
            sampling: None,
            blend_src: None,
            per_primitive: false,
        });
        self.f.function.result = Some(FunctionResult { ty, binding });
    }

    /// Calls the shader function and finishes the entry point.
    fn end_entry(&mut self, shade: Handle<Function>, arguments: Vec<Handle<Expression>>) -> Function {
        let result = self.f.add(Expression::CallResult(shade));
        self.f.push(Statement::Call { function: shade, arguments, result: Some(result) });
        self.f.push(Statement::Return { value: Some(result) });
        std::mem::replace(&mut self.f, Builder::new("")).finish()
    }

    fn mesh_entry(&mut self, shade: Handle<Function>) -> Function {
        self.start_entry(FRAGMENT_ENTRY);
        let (four, two) = (self.naga_type(Ty::vector(4)), self.naga_type(Ty::vector(2)));
        let arguments = (0..)
            .zip([("diffuse", four), ("uv", four), ("rad_ang", two)])
            .map(|(location, (name, ty))| {
                let binding = Some(IoBinding::Location {
                    location,
                    interpolation: Some(Interpolation::Perspective),
                    sampling: Some(Sampling::Center),
                    blend_src: None,
                    per_primitive: false,
                });
                self.f.function.arguments.push(FunctionArgument { name: Some(name.to_owned()), ty, binding });
                self.f.add(Expression::FunctionArgument(location))
            })
            .collect();
        self.end_entry(shade, arguments)
    }

    fn image_entry(&mut self, shade: Handle<Function>) -> Function {
        let class = ImageClass::Sampled { kind: ScalarKind::Float, multi: false };
        let image = self.insert(TypeInner::Image { dim: ImageDimension::D2, arrayed: false, class });
        let images = ["moving", "position", "polar"];
        let images: Vec<_> = (0..)
            .zip(images)
            .map(|(binding, name)| {
                let variable = GlobalVariable {
                    name: Some(name.to_owned()),
                    space: AddressSpace::Handle,
                    binding: Some(ResourceBinding { group: 2, binding }),
                    ty: image,
                    init: None,
                    memory_decorations: Default::default(),
                };
                self.module.global_variables.append(variable, Span::UNDEFINED)
            })
            .collect();
        self.start_entry(IMAGE_ENTRY);
        let four = self.naga_type(Ty::vector(4));
        let binding = Some(IoBinding::BuiltIn(BuiltIn::Position { invariant: false }));
        let at = FunctionArgument { name: Some("at".to_owned()), ty: four, binding };
        self.f.function.arguments.push(at);
        let at = self.f.add(Expression::FunctionArgument(0));
        let zero = self.f.add(Expression::Literal(Literal::I32(0)));
        let at = self.swizzled(at, VectorSize::Bi, [0, 1, 0, 0]);
        let coordinate = self.f.add(Expression::As { expr: at, kind: ScalarKind::Sint, convert: Some(4) });
        let read: Vec<_> = images
            .into_iter()
            .map(|image| {
                let image = self.f.add(Expression::GlobalVariable(image));
                let (array_index, sample) = (None, None);
                self.f.add(Expression::ImageLoad {
                    image,
                    coordinate,
                    array_index,
                    sample,
                    level: Some(zero),
                })
            })
            .collect();
        let [moving, position, polar] = [0, 1, 2].map(|index: usize| read[index]);
        let polar = self.swizzled(polar, VectorSize::Bi, [0, 1, 0, 0]);
        let arguments = match self.kind {
            PassKind::Warp => {
                // Warp passes have no diffuse texture.
                let white = Value::constant(Kind::Float, Shape::Vector(4), [1.0; 4]);
                let white = self.expr(&white);
                let source = self.swizzled(moving, VectorSize::Bi, [0, 1, 0, 0]);
                let position = self.swizzled(position, VectorSize::Bi, [0, 1, 0, 0]);
                let components = vec![source, position];
                vec![white, self.f.add(Expression::Compose { ty: four, components }), polar]
            }
            PassKind::Comp => vec![moving, self.swizzled(position, VectorSize::Quad, [0, 1, 0, 1]), polar],
        };
        self.end_entry(shade, arguments)
    }

    fn swizzled(
        &mut self,
        vector: Handle<Expression>,
        size: VectorSize,
        from: [usize; 4],
    ) -> Handle<Expression> {
        const ALL: [SwizzleComponent; 2] = [SwizzleComponent::X, SwizzleComponent::Y];
        self.f.add(Expression::Swizzle { size, vector, pattern: from.map(|index| ALL[index]) })
    }
}
