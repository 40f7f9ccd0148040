//! The agents' side: the desk where they answer, and the pages around it.

pub mod wire;
