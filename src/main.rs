//! The wiretare command; everything it does stands in the library, what it reads and prints in `cli`.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
