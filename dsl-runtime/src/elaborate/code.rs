//! A table of mistakes → an enum of them, which knows the code that users see and what the reference says.

macro_rules! codes {
    ($(#[$about:meta])* $($variant:ident $code:literal $doc:literal;)*) => {
        $(#[$about])*
        ///
        /// | code | the mistake |
        /// |---|---|
        $(#[doc = concat!("| ", $code, " | ", $doc, " |")])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code { $(#[doc = $doc] $variant),* }

        impl Code {
            /// All of them.
            pub const ALL: &[Code] = &[$(Code::$variant),*];
            /// The code that users see.
            pub fn code(self) -> &'static str {
                match self { $(Code::$variant => $code),* }
            }
            /// What kind of mistake it is, for the reference.
            pub fn doc(self) -> &'static str {
                match self { $(Code::$variant => $doc),* }
            }
        }
    };
}
pub(super) use codes;
