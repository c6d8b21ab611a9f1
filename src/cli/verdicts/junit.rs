//! JUnit's XML: a test case for each rule, a failure where it does not hold.

use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use wiretare::budget::{Checked, Outcome, Verdict};
use wiretare::report::text::safe;

/// Writes the suite.
pub(crate) fn write(checked: &Checked, out: &mut dyn Write) -> io::Result<()> {
    let mut text = Vec::new();
    let mut xml = Writer::new_with_indent(&mut text, b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let failures = checked.outcomes.iter().filter(|outcome| outcome.verdict == Verdict::Fail).count().to_string();
    let tests = checked.outcomes.len().to_string();
    let skipped = checked.outcomes.iter().filter(|outcome| is_skipped(outcome)).count().to_string();
    let counts = [("tests", tests.as_str()), ("failures", failures.as_str()), ("errors", "0"), ("skipped", skipped.as_str())];
    let suite = |xml: &mut Writer<&mut Vec<u8>>| {
        let outcomes = |xml: &mut Writer<&mut Vec<u8>>| {
            checked.outcomes.iter().try_for_each(|outcome| case(xml, outcome))?;
            if !checked.cautions.is_empty() {
                let cautions = safe(&checked.cautions.join("; "));
                xml.create_element("system-out").write_text_content(BytesText::new(&cautions))?;
            }
            Ok(())
        };
        xml.create_element("testsuite").with_attribute(("name", "wiretare check")).with_attributes(counts).write_inner_content(outcomes)?;
        Ok(())
    };
    xml.create_element("testsuites").with_attributes(counts).write_inner_content(suite)?;
    text.push(b'\n');
    out.write_all(&text)
}

/// Whether it passes for want of anything that could be measured.
fn is_skipped(outcome: &Outcome) -> bool {
    outcome.verdict == Verdict::Pass && outcome.value.is_none()
}

fn case(xml: &mut Writer<&mut Vec<u8>>, outcome: &Outcome) -> io::Result<()> {
    let name = match &outcome.of {
        Some(of) => format!("{} ({of})", outcome.name),
        None => outcome.name.clone(),
    };
    let (name, class) = (safe(&name), safe(&format!("wiretare.{}", outcome.metric)));
    let case = xml.create_element("testcase").with_attribute(("name", name.as_str())).with_attribute(("classname", class.as_str()));
    let message = safe(&outcome.message);
    match outcome.verdict {
        Verdict::Pass if is_skipped(outcome) => case.write_inner_content(|xml| {
            xml.create_element("skipped").with_attribute(("message", message.as_str())).write_empty()?;
            Ok(())
        })?,
        Verdict::Pass => case.write_empty()?,
        Verdict::Warn => case.write_inner_content(|xml| {
            xml.create_element("system-out").write_text_content(BytesText::new(&format!("warning: {message}")))?;
            Ok(())
        })?,
        Verdict::Fail => case.write_inner_content(|xml| {
            let failure = xml.create_element("failure").with_attribute(("message", message.as_str())).with_attribute(("type", "budget"));
            failure.write_text_content(BytesText::new(&format!("{}: {message}", safe(&outcome.metric))))?;
            Ok(())
        })?,
    };
    Ok(())
}
