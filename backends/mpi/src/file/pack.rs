//! Numbers, texts and paths as bytes that go from one rank to another. Both run the same program.

use dsl_runtime::ir::{Const, ScalarType};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Bytes to which values are appended.
#[derive(Debug, Default)]
pub(super) struct Pack(pub(super) Vec<u8>);

impl Pack {
    pub(super) fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub(super) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(super) fn path(&mut self, path: &Path) {
        self.bytes(path.as_os_str().as_bytes());
    }

    pub(super) fn constant(&mut self, value: Const) {
        self.text(value.ty.name());
        self.number(value.bits);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }
}

/// Bytes from which the same values are taken, in the same order.
#[derive(Debug)]
pub(super) struct Unpack<'a>(pub(super) &'a [u8]);

impl Unpack<'_> {
    pub(super) fn number(&mut self) -> u64 {
        u64::from_le_bytes(self.take(8).try_into().expect("eight bytes"))
    }

    pub(super) fn text(&mut self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }

    pub(super) fn path(&mut self) -> PathBuf {
        OsStr::from_bytes(self.bytes()).into()
    }

    pub(super) fn constant(&mut self) -> Const {
        Const {
            ty: ScalarType::parse(&self.text()).expect("the name of a type"),
            bits: self.number(),
        }
    }

    fn bytes(&mut self) -> &[u8] {
        let length = self.number() as usize;
        self.take(length)
    }

    fn take(&mut self, length: usize) -> &[u8] {
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }
}
