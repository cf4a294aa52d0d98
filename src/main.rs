//! Arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Building an HTTPS client panics without a provider; it is chosen once, here.
    let chosen = rustls::crypto::ring::default_provider().install_default();
    debug_assert!(chosen.is_ok(), "nothing chose a provider before main");
    windlass::cli::main(std::env::args_os())
}
