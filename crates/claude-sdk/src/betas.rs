//! The header `anthropic-beta`: one value, with each beta once.

use http::{HeaderMap, HeaderName, HeaderValue};

/// Its name.
pub(crate) const BETA: HeaderName = HeaderName::from_static("anthropic-beta");

/// Makes one value of all that there are: names in the order in which they came, each once, with commas and no space.
pub(crate) fn join(headers: &mut HeaderMap) {
    let values = headers.get_all(BETA);
    let is_one_name = |value: &HeaderValue| !value.as_bytes().contains(&b',');
    if values.iter().nth(1).is_none() && values.iter().all(is_one_name) {
        return;
    }
    let mut names: Vec<&[u8]> = Vec::new();
    for name in values.iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b',')) {
        let name = name.trim_ascii();
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    let is_sensitive = values.iter().any(HeaderValue::is_sensitive);
    // Parts of what a header had are fit for one.
    if let Ok(mut joined) = HeaderValue::from_bytes(&names.join(&b','))
        && !names.is_empty()
    {
        joined.set_sensitive(is_sensitive);
        headers.insert(BETA, joined);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(values: &[&'static str]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(BETA, HeaderValue::from_static(value));
        }
        join(&mut headers);
        headers.get_all(BETA).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn each_beta_is_sent_once_and_in_its_order() {
        assert_eq!(joined(&[]), [""; 0]);
        assert_eq!(joined(&["b2"]), ["b2"]);
        assert_eq!(joined(&["b2", "b1", "b2"]), ["b2,b1"]);
        assert_eq!(joined(&["b2, b1,,b2", "b3"]), ["b2,b1,b3"]);
        assert_eq!(joined(&[","]), [","], "what says nothing is left as it is");
    }

    #[test]
    fn what_is_nobody_elses_business_stays_so() {
        let mut headers = HeaderMap::new();
        let mut secret = HeaderValue::from_static("b1");
        secret.set_sensitive(true);
        headers.append(BETA, secret);
        headers.append(BETA, HeaderValue::from_static("b2"));
        join(&mut headers);
        assert!(headers.get(BETA).unwrap().is_sensitive());
    }
}
