//! What may hold a secret is not repeated where it is wrong: complaints end up in logs.

use std::ffi::OsStr;
use std::fmt::Display;
use std::marker::PhantomData;
use std::str::FromStr;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Command, Error};

/// Reads a setting as clap would, and complains without its value.
#[derive(Clone)]
pub(super) struct Untold<T>(PhantomData<T>);

impl<T> Untold<T> {
    pub(super) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> TypedValueParser for Untold<T>
where
    T: FromStr<Err: Display> + Clone + Send + Sync + 'static,
{
    type Value = T;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<T, Error> {
        let wrong = |problem: &dyn Display| {
            let argument = argument.map(ToString::to_string).unwrap_or_default();
            Error::raw(ErrorKind::ValueValidation, format!("wrong value for {argument}: {problem}\n"))
                .with_cmd(command)
        };
        let text = value.to_str().ok_or_else(|| wrong(&"not UTF-8"))?;
        text.parse().map_err(|error| wrong(&error))
    }
}
