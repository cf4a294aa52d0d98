//! The `X-Filter` header.
//!
//! In: the header's JSON, the keys that a collection lets one filter on, its items.
//! Out: the items that match, in the order asked for; or a 400 on field `X-Filter`.
//! Never: knows what an item is.
//!
//! Sibling keys and operators must all hold. On a list, such as `tags`, a plain value asks for
//! membership and an operator for one element that satisfies it; `+neq` therefore finds an item
//! that has *another* tag, which is as broken as in the real API.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::errors::Refusal;

const FIELD: &str = "X-Filter";

/// A filter that names only keys of its collection.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    condition: Condition,
    order: Option<(String, Direction)>,
}

#[derive(Clone, Debug, PartialEq)]
enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Test { key: String, operator: Operator, value: Value },
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Operator {
    Equal,
    NotEqual,
    Contains,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Direction {
    Ascending,
    Descending,
}

impl Filter {
    /// Reads the header. `keys` are the filterable ones; a key such as `placement_group.label`
    /// reaches into an object.
    pub fn parse(header: &str, keys: &[&str]) -> Result<Self, Refusal> {
        let Ok(Value::Object(mut object)) = serde_json::from_str(header) else {
            return Err(Refusal::on(FIELD, "X-Filter must be a valid JSON object"));
        };
        let order = take_order(&mut object, keys)?;
        Ok(Self { condition: all_of(&object, keys)?, order })
    }

    /// The items that match, ordered when the filter asks for an order.
    pub fn apply(&self, mut items: Vec<Value>) -> Vec<Value> {
        items.retain(|item| self.condition.holds(item));
        if let Some((key, direction)) = &self.order {
            items.sort_by(|left, right| {
                let order = compare(reach(left, key), reach(right, key)).unwrap_or(Ordering::Equal);
                match direction {
                    Direction::Ascending => order,
                    Direction::Descending => order.reverse(),
                }
            });
        }
        items
    }
}

fn take_order(
    object: &mut Map<String, Value>,
    keys: &[&str],
) -> Result<Option<(String, Direction)>, Refusal> {
    let direction = match object.remove("+order").as_ref().map(Value::as_str) {
        None | Some(Some("asc")) => Direction::Ascending,
        Some(Some("desc")) => Direction::Descending,
        Some(_) => return Err(Refusal::on(FIELD, "+order must be asc or desc")),
    };
    match object.remove("+order_by") {
        None => Ok(None),
        Some(Value::String(key)) if keys.contains(&key.as_str()) => Ok(Some((key, direction))),
        Some(Value::String(key)) => Err(Refusal::on(FIELD, format!("Cannot order by {key}"))),
        Some(_) => Err(Refusal::on(FIELD, "+order_by must be a string")),
    }
}

fn all_of(object: &Map<String, Value>, keys: &[&str]) -> Result<Condition, Refusal> {
    let conditions: Result<Vec<_>, _> =
        object.iter().map(|(key, value)| condition(key, value, keys)).collect();
    Ok(Condition::All(conditions?))
}

fn condition(key: &str, value: &Value, keys: &[&str]) -> Result<Condition, Refusal> {
    match key {
        "+and" => Ok(Condition::All(each(key, value, keys)?)),
        "+or" => Ok(Condition::Any(each(key, value, keys)?)),
        _ if keys.contains(&key) => test(key, value),
        _ => Err(Refusal::on(FIELD, format!("Cannot filter on {key}"))),
    }
}

fn each(key: &str, value: &Value, keys: &[&str]) -> Result<Vec<Condition>, Refusal> {
    let malformed = || Refusal::on(FIELD, format!("{key} must be a list of filters"));
    let list = value.as_array().ok_or_else(malformed)?;
    list.iter().map(|entry| all_of(entry.as_object().ok_or_else(malformed)?, keys)).collect()
}

fn test(key: &str, value: &Value) -> Result<Condition, Refusal> {
    let Value::Object(operators) = value else {
        let value = scalar(key, value)?;
        return Ok(Condition::Test { key: key.into(), operator: Operator::Equal, value });
    };
    let tests: Result<Vec<_>, Refusal> = operators
        .iter()
        .map(|(name, value)| {
            let operator = match name.as_str() {
                "+eq" => Operator::Equal,
                "+neq" => Operator::NotEqual,
                "+contains" => Operator::Contains,
                "+gt" => Operator::Greater,
                "+gte" => Operator::GreaterOrEqual,
                "+lt" => Operator::Less,
                "+lte" => Operator::LessOrEqual,
                _ => return Err(Refusal::on(FIELD, format!("Unknown operator {name}"))),
            };
            Ok(Condition::Test { key: key.into(), operator, value: scalar(key, value)? })
        })
        .collect();
    Ok(Condition::All(tests?))
}

fn scalar(key: &str, value: &Value) -> Result<Value, Refusal> {
    if !value.is_array() && !value.is_object() {
        return Ok(value.clone());
    }
    let (first, rest) = key.split_at(1);
    let name = first.to_uppercase() + rest;
    Err(Refusal::on(FIELD, format!("{name} filter must be a string or dict")))
}

impl Condition {
    fn holds(&self, item: &Value) -> bool {
        match self {
            Self::All(conditions) => conditions.iter().all(|one| one.holds(item)),
            Self::Any(conditions) => conditions.iter().any(|one| one.holds(item)),
            Self::Test { key, operator, value } => match reach(item, key) {
                Value::Array(elements) => elements.iter().any(|one| {
                    // Profiles can be filtered by `interfaces`, which means an interface's label.
                    let named = if one.is_object() { &one["label"] } else { one };
                    operator.holds(named, value)
                }),
                found => operator.holds(found, value),
            },
        }
    }
}

impl Operator {
    fn holds(self, found: &Value, wanted: &Value) -> bool {
        let order = compare(found, wanted);
        match self {
            Self::Equal => order == Some(Ordering::Equal),
            Self::NotEqual => order != Some(Ordering::Equal),
            Self::Contains => match (found.as_str(), wanted.as_str()) {
                (Some(found), Some(wanted)) => {
                    found.to_lowercase().contains(&wanted.to_lowercase())
                }
                _ => false,
            },
            Self::Greater => order == Some(Ordering::Greater),
            Self::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
            Self::Less => order == Some(Ordering::Less),
            Self::LessOrEqual => order.is_some_and(Ordering::is_le),
        }
    }
}

/// The value behind a dotted key; null when there is none.
fn reach<'a>(item: &'a Value, key: &str) -> &'a Value {
    // `null["any"]` is null, so a missing object needs no case of its own.
    key.split('.').fold(item, |value, part| &value[part])
}

/// Numbers by size, also when one side is written as text (clients send ids both ways); texts,
/// and with them timestamps, by their characters. `None` for what can't be compared.
fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    let number = |value: &Value| match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    match (left, right) {
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::Null, Value::Null) => Some(Ordering::Equal),
        _ => number(left)?.partial_cmp(&number(right)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const KEYS: &[&str] = &["id", "label", "tags", "created", "placement_group.label"];

    fn items() -> Vec<Value> {
        vec![
            json!({"id": 1, "label": "web-1", "tags": ["pool:web", "blue"],
                   "created": "2026-01-01T00:00:00", "placement_group": {"label": "near"}}),
            json!({"id": 2, "label": "web-2", "tags": ["pool:web"],
                   "created": "2026-01-02T00:00:00", "placement_group": null}),
            json!({"id": 10, "label": "db", "tags": [],
                   "created": "2026-01-03T00:00:00", "placement_group": null}),
        ]
    }

    fn matching(filter: Value) -> Vec<u64> {
        let filter = Filter::parse(&filter.to_string(), KEYS).expect("a legal filter");
        filter.apply(items()).iter().filter_map(|item| item["id"].as_u64()).collect()
    }

    #[test]
    fn filters_find_what_they_describe() {
        for (filter, found, because) in [
            (json!({}), vec![1, 2, 10], "an empty filter holds nothing back"),
            (json!({"label": "web-1"}), vec![1], "a plain value is equality"),
            (json!({"label": "web"}), vec![], "equality is not containment"),
            (json!({"label": {"+contains": "WEB"}}), vec![1, 2], "containment ignores case"),
            (json!({"tags": "pool:web"}), vec![1, 2], "a plain tag is membership"),
            (json!({"tags": "pool"}), vec![], "half a tag is no member"),
            (json!({"+and": [{"tags": "pool:web"}, {"tags": "blue"}]}), vec![1], "both tags"),
            (json!({"label": "web-2", "+and": [{"tags": "pool:web"}]}), vec![2], "siblings: and"),
            (json!({"+or": [{"label": "db"}, {"id": 1}]}), vec![1, 10], "either"),
            (json!({"id": {"+gte": 2, "+lt": 10}}), vec![2], "operators side by side: and"),
            (json!({"id": "10"}), vec![10], "an id may come as text"),
            (json!({"created": {"+gt": "2026-01-01T12:00:00"}}), vec![2, 10], "timestamps"),
            (json!({"placement_group.label": "near"}), vec![1], "keys reach into objects"),
            (json!({"label": {"+neq": "db"}}), vec![1, 2], "inequality"),
            (json!({"tags": {"+neq": "pool:web"}}), vec![1], "broken on tags, as in real life"),
            (json!({"+order_by": "label", "+order": "desc"}), vec![2, 1, 10], "ordered by text"),
            (json!({"+order_by": "id", "+order": "desc"}), vec![10, 2, 1], "ordered by number"),
        ] {
            assert_eq!(matching(filter), found, "{because}");
        }
    }

    #[test]
    fn refusals_use_the_apis_words() {
        for (header, reason) in [
            (r#"{"foo": 1}"#, "Cannot filter on foo"),
            (r#"{"+and": [{"status": "running"}]}"#, "Cannot filter on status"),
            (r#"{"tags": ["a", "b"]}"#, "Tags filter must be a string or dict"),
            (r#"{"tags": {"+contains": ["a"]}}"#, "Tags filter must be a string or dict"),
            (r#"{"label": {"+like": "a"}}"#, "Unknown operator +like"),
            (r#"{"+or": {"label": "a"}}"#, "+or must be a list of filters"),
            (r#"{"+order_by": "status"}"#, "Cannot order by status"),
            ("[]", "X-Filter must be a valid JSON object"),
            ("{", "X-Filter must be a valid JSON object"),
        ] {
            let refusal = Filter::parse(header, KEYS).expect_err(header);
            assert_eq!(refusal, Refusal::on("X-Filter", reason), "{header}");
        }
    }
}
