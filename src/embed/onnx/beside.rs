//! Which files a model keeps weights in beside its own: what its tensors name as `external_data`.
//!
//! Walks the fields of the format (`onnx.proto`) that lead to tensors and steps over all others, so that weights within
//! the file are never read.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Error, ErrorKind, Read as _, Result};
use std::path::Path;

/// Longest name of a file that is believed, bytes.
const LONGEST_NAME: u64 = 4096;

/// The messages on the way to a tensor's file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Message {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    /// A key and its value, which tell where a tensor's numbers lie.
    Entry,
}

impl Message {
    /// What a field of this message holds, where it leads on.
    fn at(self, field: u64) -> Option<Self> {
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

/// Names of the files with weights of this model, relative to it, in order.
pub(super) fn files_beside(model: &Path) -> Result<BTreeSet<String>> {
    let file = File::open(model)?;
    let end = file.metadata()?.len();
    let mut walk = Walk { file: BufReader::new(file), at: 0, found: BTreeSet::new() };
    walk.message(Message::Model, end)?;
    Ok(walk.found)
}

struct Walk {
    file: BufReader<File>,
    /// Bytes behind it.
    at: u64,
    found: BTreeSet<String>,
}

impl Walk {
    /// Goes through a message that ends at this byte.
    fn message(&mut self, message: Message, end: u64) -> Result<()> {
        let mut key = String::new();
        while self.at < end {
            let tag = self.number()?;
            let length = match tag & 7 {
                0 => {
                    self.number()?;
                    continue;
                }
                1 => 8,
                5 => 4,
                2 => self.number()?,
                _ => return Err(foreign()),
            };
            let field = tag >> 3;
            match message.at(field) {
                Some(inner) => {
                    let inner_end = self.at.checked_add(length).filter(|inner| *inner <= end);
                    self.message(inner, inner_end.ok_or_else(foreign)?)?;
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

    /// A number of as many bytes as it needs, seven bits in each.
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
        Err(foreign())
    }

    fn text(&mut self, length: u64) -> Result<String> {
        if length > LONGEST_NAME {
            return Err(foreign());
        }
        let mut bytes = vec![0; length as usize];
        self.file.read_exact(&mut bytes)?;
        self.at += length;
        String::from_utf8(bytes).map_err(|_| foreign())
    }

    fn skip(&mut self, length: u64) -> Result<()> {
        self.file.seek_relative(i64::try_from(length).map_err(|_| foreign())?)?;
        self.at = self.at.checked_add(length).ok_or_else(foreign)?;
        Ok(())
    }
}

fn foreign() -> Error {
    Error::new(ErrorKind::InvalidData, "it is not written as ONNX models are")
}
