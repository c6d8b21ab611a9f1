//! JSON Schemas of what is printed and read, from the types themselves (docs/schema/).

mod rows;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use serde_json::Value;

use super::{Report, SCHEMA_VERSION};

/// Of [`Report`].
pub fn report() -> Value {
    of::<Report>(&format!("wiretare report, schema version {SCHEMA_VERSION}"))
}

/// Of the rows of `messages -f ndjson`, which keep to the version of the report.
pub fn messages() -> Value {
    of::<rows::Row>(&format!("wiretare messages, schema version {SCHEMA_VERSION}"))
}

/// Of a type that is written: draft 2020-12, nothing beside what it names.
pub fn of<T: JsonSchema>(title: &str) -> Value {
    let mut schema = SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>();
    schema.insert("title".into(), title.into());
    Closed.transform(&mut schema);
    schema.to_value()
}

/// Of a type that is read.
pub fn of_input<T: JsonSchema>(title: &str) -> Value {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
    schema.insert("title".into(), title.into());
    schema.to_value()
}

/// Says of every object with named fields that it has no others, so that a field nobody described is found.
struct Closed;

impl Transform for Closed {
    fn transform(&mut self, schema: &mut schemars::Schema) {
        if schema.get("properties").is_some() && schema.get("additionalProperties").is_none() {
            schema.insert("additionalProperties".into(), false.into());
        }
        transform_subschemas(self, schema);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_both_directions_stand_beside_those_of_the_side() {
        let schema = report();
        let side = schema.pointer("/$defs/SideReport/properties").expect("described");
        assert!(["connections", "wire_bytes", "per_message", "all_in_wire_bytes"].iter().all(|name| side.get(*name).is_some()), "{side}");
        assert_eq!(schema.pointer("/$defs/SideReport/additionalProperties"), Some(&false.into()));
    }
}
