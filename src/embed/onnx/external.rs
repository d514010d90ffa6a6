//! Finds the files in which a model stores weights outside its own file, the `external_data` of its tensors, and the
//! names of the values that its nodes compute.
//!
//! Parses only the fields of the format (`onnx.proto`) that lead to them and skips all others, so embedded weights are
//! never read.

use std::collections::BTreeSet;
use std::io::{Error, ErrorKind, Read as _, Result, Seek as _};
use std::path::Path;

use crate::disk::{Input, limit};

/// Maximum nesting depth of messages; each nested graph adds three levels.
const MAX_DEPTH: usize = 100;
/// Maximum length of a name, in bytes.
const MAX_NAME: u64 = 4096;
/// Depth of the nodes of a model's own graph; those of nested graphs are deeper.
const OWN_NODES: usize = 2;

/// Message types on the path to external data.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Message {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    /// A key and a value that describe a tensor's external data.
    Entry,
}

impl Message {
    /// Returns the message type of a field to descend into, or `None` for a field to skip or read.
    fn child(self, field: u64) -> Option<Self> {
        match (self, field) {
            (Self::Model, 7) | (Self::Attribute, 6 | 11) => Some(Self::Graph),
            (Self::Graph, 1) => Some(Self::Node),
            (Self::Node, 5) => Some(Self::Attribute),
            (Self::Graph, 5) | (Self::Attribute, 5 | 10) => Some(Self::Tensor),
            (Self::Tensor, 13) => Some(Self::Entry),
            _ => None,
        }
    }
}

/// Returns the sorted names of a model's external data files, relative to the model.
pub(super) fn external_files(model: &Path) -> Result<BTreeSet<String>> {
    Ok(Parser::parse(model)?.found)
}

/// Returns the names of all values that the nodes of a model's own graph compute.
pub(super) fn values(model: &Path) -> Result<BTreeSet<String>> {
    Ok(Parser::parse(model)?.values)
}

struct Parser {
    file: Input,
    /// Position in the file, in bytes.
    at: u64,
    /// Names of external data files.
    found: BTreeSet<String>,
    /// Names of computed values.
    values: BTreeSet<String>,
}

impl Parser {
    fn parse(model: &Path) -> Result<Self> {
        let file = Input::open(model, limit::MODEL)?;
        let end = file.length();
        let mut parser = Self { file, at: 0, found: BTreeSet::new(), values: BTreeSet::new() };
        parser.message(Message::Model, end, 0)?;
        Ok(parser)
    }

    /// Parses a message that ends at byte `end` and is nested in `depth` others.
    fn message(&mut self, message: Message, end: u64, depth: usize) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err(invalid());
        }
        let mut key = String::new();
        while self.at < end {
            let tag = self.number()?;
            if tag >> 3 == 0 {
                return Err(invalid()); // Field 0 is invalid; a file of zeros would have it.
            }
            let length = match tag & 7 {
                0 => {
                    self.number()?;
                    continue;
                }
                1 => 8,
                5 => 4,
                2 => self.number()?,
                _ => return Err(invalid()),
            };
            let field = tag >> 3;
            match message.child(field) {
                Some(inner) => {
                    let inner_end = self.at.checked_add(length).filter(|inner| *inner <= end);
                    self.message(inner, inner_end.ok_or_else(invalid)?, depth + 1)?;
                }
                None if message == Message::Node && field == 2 && depth == OWN_NODES => {
                    let name = self.text(length)?;
                    self.values.insert(name);
                }
                None if message == Message::Entry && field == 1 => key = self.text(length)?,
                None if message == Message::Entry && field == 2 && key == "location" => {
                    let name = self.text(length)?;
                    self.found.insert(name);
                }
                None => self.skip(length)?,
            }
        }
        Ok(())
    }

    /// Reads a variable-length integer of seven bits per byte.
    fn number(&mut self) -> Result<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let mut byte = [0];
            self.file.read_exact(&mut byte)?;
            self.at += 1;
            number |= u64::from(byte[0] & 127) << shift;
            if byte[0] < 128 {
                return Ok(number);
            }
        }
        Err(invalid())
    }

    fn text(&mut self, length: u64) -> Result<String> {
        if length > MAX_NAME {
            return Err(invalid());
        }
        let mut bytes = vec![0; length as usize];
        self.file.read_exact(&mut bytes)?;
        self.at += length;
        String::from_utf8(bytes).map_err(|_| invalid())
    }

    fn skip(&mut self, length: u64) -> Result<()> {
        self.file.seek_relative(i64::try_from(length).map_err(|_| invalid())?)?;
        self.at = self.at.checked_add(length).ok_or_else(invalid)?;
        Ok(())
    }
}

fn invalid() -> Error {
    Error::new(ErrorKind::InvalidData, "not an ONNX model")
}
