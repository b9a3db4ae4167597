//! From the words of a command line to operands and options.

/// The words of a command, sorted.
#[derive(Debug, Default)]
pub struct Args {
    /// What is no option, in order.
    pub operands: Vec<String>,
    /// `--place`.
    pub place: Option<String>,
    /// `--passes`, taken apart at the commas.
    pub passes: Option<Vec<String>>,
    /// `--trace`.
    pub trace: bool,
}

/// Sorts the words. A word that begins with `--` is an option; everything behind a lone `--` is an operand. The error
/// says what is wrong.
pub fn parse(words: &[String]) -> Result<Args, String> {
    let mut args = Args::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--" {
            args.operands.extend(words.by_ref().cloned());
            break;
        }
        let Some(option) = word.strip_prefix("--") else {
            args.operands.push(word.clone());
            continue;
        };
        let (name, given) = match option.split_once('=') {
            Some((name, value)) => (name, Some(value.to_string())),
            None => (option, None),
        };
        let mut value = |what: &str| {
            let value = given.clone().or_else(|| words.next().cloned());
            value.ok_or_else(|| format!("--{name} needs {what} behind it"))
        };
        match name {
            "place" => args.place = Some(value("a place, such as `cpu` or `interp`")?),
            "passes" => {
                let list = value("names of passes, such as `fuse,dce`")?;
                let names = list
                    .split(',')
                    .map(str::trim)
                    .filter(|name| !name.is_empty());
                args.passes = Some(names.map(String::from).collect());
            }
            "trace" if given.is_none() => args.trace = true,
            _ => {
                return Err(format!(
                    "there is no option --{name}; there are --place PLACE, --passes A,B and --trace"
                ));
            }
        }
    }
    Ok(args)
}
