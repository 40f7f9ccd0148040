//! Commands that are said where they are used.

/// A command made of a block of code, with the variables that it needs.
macro_rules! command {
    (|$tx:ident $(, $name:ident: $kind:ty)*| -> $done:ty $body:block) => {{
        struct Block { $($name: $kind),* }
        impl $crate::store::Command for Block {
            type Done = $done;
            type Refusal = $crate::http::problem::Problem;

            async fn run(
                self,
                $tx: &mut $crate::store::Tx<'_>,
            ) -> Result<$done, $crate::store::Failure<$crate::http::problem::Problem>> {
                let Self { $($name),* } = self;
                $body
            }
        }
        Block { $($name),* }
    }};
}

pub(super) use command;
