//! Integration tests by capability.

mod analysis;
mod batches;
mod classifier;
mod command;
mod common_case;
#[allow(dead_code)]
mod conversation;
mod corpus;
mod counterfactual;
mod damage;
mod dissect;
mod end_to_end;
mod envelopes;
mod follow;
mod fuzzed;
mod gate;
mod hostile;
mod layering;
mod limits;
mod loss;
mod made;
mod matrix;
mod page;
mod pairing;
mod polling;
mod rewrite;
mod schema;
mod search;
mod segmentation;
mod spreadsheet;
mod support;
mod tcp;
mod truth;
mod unannounced;
mod undecoded;
mod violations;
