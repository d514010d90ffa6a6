//! Fields of JSON files that other programs wrote.

use serde::Deserialize as _;
use serde::de::{DeserializeOwned, Deserializer};
use serde_json::Value;

/// Deserialises a field for `#[serde(deserialize_with)]`. A field that is null or has an unexpected type gets its
/// default value, so that the other fields are not lost.
///
/// # Errors
/// Fails if the input is not valid.
pub fn lenient<'de, T: DeserializeOwned + Default, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    Ok(T::deserialize(Value::deserialize(from)?).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Fields {
        #[serde(default, deserialize_with = "super::lenient")]
        name: String,
        #[serde(default, deserialize_with = "super::lenient")]
        value: Option<f32>,
    }

    #[test]
    fn a_field_with_an_unexpected_value_does_not_lose_the_others() {
        let read = |text: &str| {
            let fields: Fields = serde_json::from_str(text).expect("read");
            (fields.name, fields.value)
        };
        assert_eq!(read(r#"{"name":"a","value":0.5}"#), ("a".to_owned(), Some(0.5)));
        assert_eq!(read(r#"{"name":null,"value":0.5}"#), (String::new(), Some(0.5)));
        assert_eq!(read(r#"{"name":"a","value":{}}"#), ("a".to_owned(), None));
        assert_eq!(read("{}"), (String::new(), None));
    }
}
