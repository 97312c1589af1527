//! `claudectl models`.

use claude_sdk::types::Model;

use crate::{
    args::{IdArgs, ListArgs, ModelsCommand},
    connection,
    console::{plain, print, print_json},
    interrupt::unless_interrupted,
    wording::at_a_terminal,
};

pub(crate) async fn run(command: ModelsCommand) -> anyhow::Result<()> {
    match command {
        ModelsCommand::List(args) => list(args).await,
        ModelsCommand::Get(args) => get(args).await,
    }
}

async fn list(args: ListArgs) -> anyhow::Result<()> {
    let client = connection::client(&args.connection).await?;
    let listing = async {
        let mut models = client.models().list().limit(1000).items();
        while let Some(model) = models.next().await {
            let model = model.map_err(at_a_terminal)?;
            print(match args.json {
                true => serde_json::to_string(&model)? + "\n",
                false => plain(model.id.as_str()) + "\n",
            })?;
        }
        Ok(())
    };
    unless_interrupted(client.flush(), listing).await?
}

async fn get(args: IdArgs) -> anyhow::Result<()> {
    let client = connection::client(&args.connection).await?;
    let model = Model::from(args.id);
    let model = unless_interrupted(client.flush(), client.models().get(&model)).await?;
    let model = model.map_err(at_a_terminal)?;
    if args.json {
        return print_json(&*model);
    }
    let or_unknown = |text: Option<String>| text.map_or_else(|| "unknown".to_owned(), |text| plain(&text));
    let number = |number: Option<u64>| or_unknown(number.map(|number| number.to_string()));
    Ok(print(format!(
        "{}\nname           {}\nlifecycle      {}\ninput tokens   {}\noutput tokens  {}\n",
        plain(model.id.as_str()),
        or_unknown(model.display_name.clone()),
        or_unknown(model.lifecycle.as_ref().map(ToString::to_string)),
        number(model.max_input_tokens),
        number(model.max_tokens),
    ))?)
}
