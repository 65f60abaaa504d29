# The few commands of this project. A new feature adds no recipe.

# List the recipes.
default:
    @just --list --unsorted

# Look at everything that needs no test to run: format, lints, docs, dependencies.
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings
    RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps --locked
    cargo deny --locked check

# Run all tests, those about the source included.
test *ARGS:
    cargo nextest run --workspace --locked {{ ARGS }}

# Format, apply what clippy suggests, and rewrite the snapshots. Read the diff afterwards.
fix:
    cargo fmt --all
    cargo clippy --workspace --all-targets --fix --allow-dirty --allow-staged
    UPDATE_EXPECT=1 cargo nextest run --workspace

# Take one issue to a draft pull request, offline, against scripted parts.
run *ARGS:
    cargo run --release -- demo {{ ARGS }}

# Build the program that is handed out, once all checks and tests pass.
release: check test
    cargo build --release --locked
    ./target/release/zazen --version
