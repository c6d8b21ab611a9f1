//! JSON Schemas of what is printed and read, from the types themselves (docs/schema/).
//!
//! Those of what is printed are exact: they name every field, say which names a closed list has, what may be `null`, and what
//! may be left out.

pub mod names;
pub mod rows;

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform, transform_subschemas};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

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
    let mut schema = described::<T>(title, SchemaSettings::draft2020_12().for_serialize());
    Closed.transform(&mut schema);
    RecursiveTransform(in_words_of_json).transform(&mut schema);
    schema.to_value()
}

/// Of a type that is read.
pub fn of_input<T: JsonSchema>(title: &str) -> Value {
    described::<T>(title, SchemaSettings::draft2020_12()).to_value()
}

fn described<T: JsonSchema>(title: &str, settings: SchemaSettings) -> Schema {
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.insert("title".into(), title.into());
    RecursiveTransform(plain).transform(&mut schema);
    schema
}

/// Takes away formats that JSON Schema does not know, at which strict validators stop, and joins the lines of comments.
fn plain(schema: &mut Schema) {
    if schema.get("format").is_some_and(|format| format != "date-time") {
        schema.remove("format");
    }
    if let Some(Value::String(description)) = schema.as_object_mut().and_then(|schema| schema.get_mut("description")) {
        let paragraphs: Vec<_> = description.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect();
        *description = paragraphs.join("\n\n");
    }
}

/// Says `null` or *left out*, whichever it is, where comments in the code say `None`. What may be left out is left out for `null`.
fn in_words_of_json(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    let required = object.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    if let Some(Value::Object(properties)) = object.get_mut("properties") {
        for (name, property) in properties {
            if let Some(property) = property.as_object_mut().filter(|_| !required.contains(&json!(name))) {
                never_null(property);
                say(property, "left out");
            }
        }
    }
    say(object, "`null`");
}

fn say(schema: &mut Map<String, Value>, words: &str) {
    if let Some(Value::String(description)) = schema.get_mut("description") {
        *description = description.replace("`None`", words);
    }
}

/// Takes `null` out of what an `Option` became; a `oneOf` stays, for what may be both left out and `null`.
fn never_null(schema: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
        choices.retain(|choice| *choice != json!({"type": "null"}));
        if let [Value::Object(only)] = choices.as_mut_slice() {
            let mut only = std::mem::take(only);
            schema.remove("anyOf");
            schema.append(&mut only);
        }
    }
}

/// An object with a value for each of some names.
fn object_of<T: JsonSchema>(generator: &mut SchemaGenerator, names: &[&str]) -> Schema {
    let value = generator.subschema_for::<T>().to_value();
    let properties: Map<_, _> = names.iter().map(|&name| (name.to_owned(), value.clone())).collect();
    schemars::json_schema!({"type": "object", "properties": properties})
}

/// Says of every object with named fields that it has no others, so that a field nobody described is found.
struct Closed;

impl Transform for Closed {
    fn transform(&mut self, schema: &mut Schema) {
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
    fn what_is_left_out_is_never_null_and_said_so() {
        let schema = report();
        let side = schema.pointer("/$defs/SideReport/properties").expect("described");
        assert_eq!(side["exchanges"], json!({"description": "Exchanges; left out for WebSocket.", "type": "integer", "minimum": 0}));
        assert_eq!(side["latency"]["$ref"], "#/$defs/Latency");
        assert!(![report(), messages()].iter().any(|schema| schema.to_string().contains("`None`")));
    }

    #[test]
    fn fields_of_both_directions_stand_beside_those_of_the_side() {
        let schema = report();
        let side = schema.pointer("/$defs/SideReport/properties").expect("described");
        assert!(["connections", "wire_bytes", "per_message", "all_in_wire_bytes"].iter().all(|name| side.get(*name).is_some()), "{side}");
        assert_eq!(schema.pointer("/$defs/SideReport/additionalProperties"), Some(&false.into()));
    }
}
