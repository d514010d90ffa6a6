//! Lowers texture lookups.

use lactea_abi::{GROUP_PASS, MAX_PASS_TEXTURES, TexDim, TexSource, sampler_binding, texture_binding};
use naga::{
    AddressSpace, Expression, GlobalVariable, Handle, ImageClass, ImageDimension, ResourceBinding,
    SampleLevel, ScalarKind, Span, TypeInner,
};

use super::builder::Symbol;
use super::context::{Global, Lowering};
use super::value::{Fact, Repr, Value};
use crate::hlsl::ast::{Expr, ExprId};
use crate::hlsl::header;
use crate::hlsl::types::{Kind, Shape, Ty};
use crate::preprocess::{Error, Name, Pos};

impl Lowering<'_> {
    /// Returns the sampler that an expression names, if any.
    pub fn sampler(&self, id: ExprId) -> Option<Name> {
        let Expr::Name(name) = self.ast.expr(id) else { return None };
        match self.f.find(name) {
            Some(Symbol::Value(Value { repr: Repr::Sampler(sampler), .. })) => Some(sampler.clone()),
            Some(_) => None,
            None => match self.globals.get(name) {
                Some(Global::Sampler) => Some(name.clone()),
                Some(_) => None,
                None => header::is_sampler(name).then(|| name.clone()),
            },
        }
    }

    /// Lowers calls such as `tex2D(sampler, uv)`; `None` if `name` is not a texture lookup.
    pub fn lookup(&mut self, name: &str, arguments: &[ExprId], pos: Pos) -> Result<Option<Value>, Error> {
        let (volume, rest) = match name.get(..5) {
            Some("tex1D" | "tex2D" | "tex2d") => (false, &name[5..]),
            Some("tex3D" | "tex3d") => (true, &name[5..]),
            _ => return Ok(None),
        };
        // Textures have a single mip level: level, bias and gradients have no effect.
        if !matches!(rest, "" | "lod" | "bias" | "grad" | "proj") {
            return Ok(None);
        }
        let [sampler, coordinate, ..] = arguments else {
            return Error::semantic(pos, format!("`{name}` takes a sampler and a coordinate"));
        };
        let Some(sampler) = self.sampler(*sampler) else {
            return Error::semantic(
                self.ast.pos(*sampler),
                format!("the first argument of `{name}` must be a sampler"),
            );
        };
        let mut place = self.value(*coordinate)?;
        if rest == "proj" {
            let all = self.convert(place, Ty::vector(4), pos)?;
            let w = self.component(&all, 3);
            let first = self.swizzle(&all, &[0, 1, 2]);
            place = self.quotient(first, w, Shape::Vector(3));
        }
        for ignored in &arguments[2..] {
            self.value(*ignored)?;
        }
        self.sample(&sampler, place, volume, pos).map(Some)
    }

    /// Samples the texture of `sampler` at the texture coordinate `place`.
    pub fn sample(&mut self, sampler: &Name, place: Value, volume: bool, pos: Pos) -> Result<Value, Error> {
        let Ty::Number(_, shape @ (Shape::Scalar | Shape::Vector(_))) = place.ty else {
            return self.cannot(pos, "read a texture at", place.ty, Ty::vector(2));
        };
        let place = self.with_kind(place, Kind::Float);
        let index = self.texture(sampler, volume, pos)?;
        let size = if self.interface.textures[index].dim == TexDim::D3 { 3 } else { 2 };
        let place = if shape == Shape::Vector(2) && size == 3 {
            let mut parts = self.scalars(&place);
            parts.push(Value::float(0.0));
            self.compose(Kind::Float, Shape::Vector(3), &parts)
        } else {
            self.reshape(place, Shape::Vector(size))
        };
        let (image, sampler) = self.textures[index];
        let image = self.f.add(Expression::GlobalVariable(image));
        let sampler = self.f.add(Expression::GlobalVariable(sampler));
        let coordinate = self.expr(&place);
        let handle = self.f.add(Expression::ImageSample {
            image,
            sampler,
            gather: None,
            coordinate,
            array_index: None,
            offset: None,
            level: SampleLevel::Zero,
            depth_ref: None,
            clamp_to_edge: false,
        });
        Ok(Value::new(Ty::vector(4), handle, Fact::within(65_504.0)))
    }

    /// Returns the index of a texture in the interface, adding it if it is new.
    fn texture(&mut self, sampler: &Name, volume: bool, pos: Pos) -> Result<usize, Error> {
        let texture = header::texture(sampler, volume);
        let known = self.interface.textures.iter().position(|known| *known == texture);
        if let Some(known) = known {
            return Ok(known);
        }
        let index = self.interface.textures.len();
        if index >= MAX_PASS_TEXTURES {
            return Error::limit(pos, format!("more than {MAX_PASS_TEXTURES} textures"));
        }
        if let TexSource::Blur(level) = texture.source {
            self.interface.max_blur_level = self.interface.max_blur_level.max(level);
        }
        let dim = if texture.dim == TexDim::D3 { ImageDimension::D3 } else { ImageDimension::D2 };
        let class = ImageClass::Sampled { kind: ScalarKind::Float, multi: false };
        let image = self.insert(TypeInner::Image { dim, arrayed: false, class });
        let image = self.resource("image", image, texture_binding(index as u32));
        let sampler = self.insert(TypeInner::Sampler { comparison: false });
        let sampler = self.resource("sampler", sampler, sampler_binding(index as u32));
        self.interface.textures.push(texture);
        self.textures.push((image, sampler));
        Ok(index)
    }

    fn resource(&mut self, name: &str, ty: Handle<naga::Type>, binding: u32) -> Handle<GlobalVariable> {
        let variable = GlobalVariable {
            name: Some(name.to_owned()),
            space: AddressSpace::Handle,
            binding: Some(ResourceBinding { group: GROUP_PASS, binding }),
            ty,
            init: None,
            memory_decorations: Default::default(),
        };
        self.module.global_variables.append(variable, Span::UNDEFINED)
    }

    /// Samples a blur level and expands it from its stored range.
    pub fn blurred(&mut self, level: usize, place: Value, pos: Pos) -> Result<Value, Error> {
        let color = self.sample(&Name::from(format!("sampler_blur{level}")), place, false, pos)?;
        let color = self.reshape(color, Shape::Vector(3));
        let (register, first) = header::BLUR_RANGES[level - 1];
        let scale = self.register(header::Register::C(register), first, 1);
        let bias = self.register(header::Register::C(register), first + 1, 1);
        let scaled = self.product(color, scale, Shape::Vector(3));
        Ok(self.arithmetic(crate::hlsl::ast::Operator::Add, scaled, bias, Shape::Vector(3)))
    }

    /// Returns the uniform slot of the size of texture `root`, such as `clouds` for `texsize_clouds`.
    pub fn size_slot(&mut self, root: &str) -> u32 {
        let mut source = header::source(root);
        // `texsize_rand03` is the size of whatever texture the sampler with that number reads.
        if let Some(slot) = header::random_slot(root) {
            let same = |texture: &TexSource| match texture {
                TexSource::User(name) => header::random_slot(name) == Some(slot),
                _ => false,
            };
            let known =
                self.interface.textures.iter().map(|texture| &texture.source).find(|known| same(known));
            source = known.cloned().unwrap_or(source);
        }
        let slots = &mut self.interface.texsize_slots;
        let known = slots.iter().position(|known| *known == source);
        known.unwrap_or_else(|| {
            slots.push(source);
            slots.len() - 1
        }) as u32
    }
}
