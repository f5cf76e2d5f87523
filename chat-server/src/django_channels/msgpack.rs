//! Reads as much of `MessagePack` as dictionaries of Django Channels need: bounded, without copies, and without recursion.

use std::str::Utf8Error;

use rmp::Marker;
use thiserror::Error;

/// Why bytes are not what they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum Malformed {
    #[error("it ends in the middle")]
    Short,
    #[error("it is no dictionary")]
    NotADictionary,
    #[error("it uses a byte that means nothing")]
    Reserved,
    #[error("a text is not UTF-8")]
    NotUtf8(#[from] Utf8Error),
}

/// Reads one value after the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a>(&'a [u8]);

/// What a value begins with.
#[derive(Debug, Clone, Copy)]
enum Head {
    /// A text of so many bytes.
    Text(usize),
    Integer(i64),
    /// So many values follow, which belong to it.
    Array(u64),
    /// So many pairs of values follow.
    Map(u64),
    /// So many bytes follow that nobody asks for.
    Opaque(usize),
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Begins with a dictionary; gives how many entries it has, each a key and a value.
    pub(super) fn map(&mut self) -> Result<u64, Malformed> {
        match self.head()? {
            Head::Map(entries) => Ok(entries),
            _ => Err(Malformed::NotADictionary),
        }
    }

    /// The next value, where it is a text; another one is passed over.
    pub(super) fn text(&mut self) -> Result<Option<&'a str>, Malformed> {
        match self.head()? {
            Head::Text(length) => Ok(Some(str::from_utf8(self.take(length)?)?)),
            head => self.pass(head).map(|()| None),
        }
    }

    /// The next value, where it is a whole number; another one is passed over.
    pub(super) fn integer(&mut self) -> Result<Option<i64>, Malformed> {
        match self.head()? {
            Head::Integer(number) => Ok(Some(number)),
            head => self.pass(head).map(|()| None),
        }
    }

    /// The texts of the next value: it is one, or a list of some.
    pub(super) fn texts(&mut self) -> Result<Vec<&'a str>, Malformed> {
        let before = *self;
        let Head::Array(count) = self.head()? else {
            *self = before;
            return Ok(self.text()?.into_iter().collect());
        };
        let mut texts = Vec::new();
        for _ in 0..count {
            texts.extend(self.text()?);
        }
        Ok(texts)
    }

    /// Passes over the next value, whatever it is.
    pub(super) fn skip(&mut self) -> Result<(), Malformed> {
        let head = self.head()?;
        self.pass(head)
    }

    /// Passes over what belongs to a value. Every value takes a byte at least, so that this ends with the bytes.
    fn pass(&mut self, head: Head) -> Result<(), Malformed> {
        let mut left = self.pass_one(head)?;
        while left > 0 {
            let head = self.head()?;
            left = (left - 1).saturating_add(self.pass_one(head)?);
        }
        Ok(())
    }

    /// Passes over a value but for those in it; gives how many these are.
    fn pass_one(&mut self, head: Head) -> Result<u64, Malformed> {
        match head {
            Head::Text(length) | Head::Opaque(length) => self.take(length).map(|_| 0),
            Head::Integer(_) => Ok(0),
            Head::Array(values) => Ok(values),
            Head::Map(entries) => Ok(entries * 2),
        }
    }

    fn head(&mut self) -> Result<Head, Malformed> {
        Ok(match Marker::from_u8(self.byte()?) {
            Marker::FixPos(number) => Head::Integer(number.into()),
            Marker::FixNeg(number) => Head::Integer(number.into()),
            Marker::U8 => Head::Integer(self.byte()?.into()),
            Marker::U16 => Head::Integer(u16::from_be_bytes(self.bytes()?).into()),
            Marker::U32 => Head::Integer(u32::from_be_bytes(self.bytes()?).into()),
            Marker::U64 => {
                let number = u64::from_be_bytes(self.bytes()?);
                i64::try_from(number).map_or(Head::Opaque(0), Head::Integer)
            }
            Marker::I8 => Head::Integer(i8::from_be_bytes(self.bytes()?).into()),
            Marker::I16 => Head::Integer(i16::from_be_bytes(self.bytes()?).into()),
            Marker::I32 => Head::Integer(i32::from_be_bytes(self.bytes()?).into()),
            Marker::I64 => Head::Integer(i64::from_be_bytes(self.bytes()?)),
            Marker::FixStr(length) => Head::Text(length.into()),
            Marker::Str8 => Head::Text(self.byte()?.into()),
            Marker::Str16 => Head::Text(u16::from_be_bytes(self.bytes()?).into()),
            Marker::Str32 => Head::Text(self.long_length()?),
            Marker::FixArray(values) => Head::Array(values.into()),
            Marker::Array16 => Head::Array(u16::from_be_bytes(self.bytes()?).into()),
            Marker::Array32 => Head::Array(u32::from_be_bytes(self.bytes()?).into()),
            Marker::FixMap(entries) => Head::Map(entries.into()),
            Marker::Map16 => Head::Map(u16::from_be_bytes(self.bytes()?).into()),
            Marker::Map32 => Head::Map(u32::from_be_bytes(self.bytes()?).into()),
            Marker::Null | Marker::True | Marker::False => Head::Opaque(0),
            Marker::F32 => Head::Opaque(4),
            Marker::F64 => Head::Opaque(8),
            Marker::Bin8 => Head::Opaque(self.byte()?.into()),
            Marker::Bin16 => Head::Opaque(u16::from_be_bytes(self.bytes()?).into()),
            Marker::Bin32 => Head::Opaque(self.long_length()?),
            // The type of an extension is a byte more.
            Marker::FixExt1 => Head::Opaque(2),
            Marker::FixExt2 => Head::Opaque(3),
            Marker::FixExt4 => Head::Opaque(5),
            Marker::FixExt8 => Head::Opaque(9),
            Marker::FixExt16 => Head::Opaque(17),
            Marker::Ext8 => Head::Opaque(usize::from(self.byte()?) + 1),
            Marker::Ext16 => Head::Opaque(usize::from(u16::from_be_bytes(self.bytes()?)) + 1),
            Marker::Ext32 => Head::Opaque(self.long_length()?.saturating_add(1)),
            Marker::Reserved => return Err(Malformed::Reserved),
        })
    }

    fn long_length(&mut self) -> Result<usize, Malformed> {
        usize::try_from(u32::from_be_bytes(self.bytes()?)).map_err(|_| Malformed::Short)
    }

    fn byte(&mut self) -> Result<u8, Malformed> {
        let [byte] = self.bytes()?;
        Ok(byte)
    }

    fn bytes<const LENGTH: usize>(&mut self) -> Result<[u8; LENGTH], Malformed> {
        let (bytes, rest) = self.0.split_first_chunk().ok_or(Malformed::Short)?;
        self.0 = rest;
        Ok(*bytes)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Malformed::Short)?;
        self.0 = rest;
        Ok(taken)
    }
}
