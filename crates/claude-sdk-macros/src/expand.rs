use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{
    Attribute, Error, Expr, ExprLit, FnArg, Ident, ItemFn, Lit, LitStr, Meta, Pat, Result, Type,
    ext::IdentExt as _, parse::Parser as _, spanned::Spanned as _,
};

/// An argument of the function: a field of what the model gives.
struct Argument {
    attributes: Vec<Attribute>,
    name: Ident,
    kind: Type,
}

pub(crate) fn tool(settings: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let mut function: ItemFn = syn::parse2(item)?;
    let name = name(settings)?.unwrap_or_else(|| function.sig.ident.unraw().to_string());
    let arguments = arguments(&mut function)?;
    let description = documentation(&function.attrs);
    if description.is_empty() {
        let message = "say in a doc comment what the tool does and when to use it: the model reads that";
        return Err(Error::new(function.sig.ident.span(), message));
    }

    let (visibility, inner) = (&function.vis, &function.sig.ident);
    let handler = format_ident!("{}", camel_case(&inner.unraw().to_string()), span = inner.span());
    let about = format!("The tool `{name}`: see [`{inner}`].");
    let fields =
        arguments.iter().map(|Argument { attributes, name, kind }| quote!(#(#attributes)* #name: #kind));
    let names: Vec<&Ident> = arguments.iter().map(|argument| &argument.name).collect();
    Ok(quote! {
        #function

        #[doc = #about]
        #[derive(Clone, Copy, Debug, Default)]
        #visibility struct #handler;

        const _: () = {
            #[derive(::claude_sdk::tools::expansion::serde::Deserialize, ::claude_sdk::schemars::JsonSchema)]
            #[serde(crate = "::claude_sdk::tools::expansion::serde")]
            #[schemars(crate = "::claude_sdk::schemars")]
            struct Arguments {
                #(#fields,)*
            }

            #[::claude_sdk::tools::expansion::async_trait]
            impl ::claude_sdk::tools::ToolHandler for #handler {
                fn tool(&self) -> ::claude_sdk::types::Tool {
                    ::claude_sdk::tools::describe::<Arguments>(#name, #description)
                }

                async fn call(
                    &self,
                    input: ::claude_sdk::tools::expansion::Value,
                ) -> ::core::result::Result<::claude_sdk::types::Content, ::claude_sdk::tools::ToolError> {
                    let Arguments { #(#names),* } = ::claude_sdk::tools::arguments(input)?;
                    ::claude_sdk::tools::ToolOutput::into_result(#inner(#(#names),*).await)
                }
            }
        };
    })
}

/// The name that the settings give, if any.
fn name(settings: TokenStream) -> Result<Option<String>> {
    let mut name = None;
    let parser = syn::meta::parser(|setting| {
        if !setting.path.is_ident("name") {
            return Err(setting.error("the only setting is `name = \"…\"`"));
        }
        name = Some(setting.value()?.parse::<LitStr>()?.value());
        Ok(())
    });
    parser.parse2(settings)?;
    Ok(name)
}

/// The arguments, whose attributes the function itself must not have.
fn arguments(function: &mut ItemFn) -> Result<Vec<Argument>> {
    let signature = &mut function.sig;
    if signature.asyncness.is_none() {
        return Err(Error::new(signature.fn_token.span(), "a tool is an `async fn`"));
    }
    if !signature.generics.params.is_empty() {
        return Err(Error::new(
            signature.generics.span(),
            "a tool has no generics: the model cannot choose a type",
        ));
    }
    signature.inputs.iter_mut().map(argument).collect()
}

fn argument(input: &mut FnArg) -> Result<Argument> {
    match input {
        FnArg::Receiver(receiver) => Err(Error::new(
            receiver.span(),
            "a tool has no `self`; use `tools::function` with a closure, or implement `ToolHandler`",
        )),
        FnArg::Typed(input) => {
            let Pat::Ident(pattern) = &*input.pat else {
                return Err(Error::new(
                    input.pat.span(),
                    "give the argument a plain name: the model reads it",
                ));
            };
            let attributes = std::mem::take(&mut input.attrs);
            Ok(Argument { attributes, name: pattern.ident.clone(), kind: (*input.ty).clone() })
        }
    }
}

/// The text of the doc comments.
fn documentation(attributes: &[Attribute]) -> String {
    let line = |attribute: &Attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value().trim().to_owned()),
            _ => None,
        },
        _ => None,
    };
    attributes.iter().filter_map(line).collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// `get_weather` as `GetWeather`.
fn camel_case(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_uppercase().to_string());
        first.unwrap_or_default() + letters.as_str()
    };
    name.split('_').map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(settings: &str, item: &str) -> String {
        match tool(settings.parse().unwrap(), item.parse().unwrap()) {
            Ok(code) => code.to_string(),
            Err(error) => format!("error: {error}"),
        }
    }

    #[test]
    fn a_function_keeps_its_body_and_gets_a_type_beside_it() {
        let code = expanded(
            "",
            "/// Says\n/// how warm it is.\n#[tracing::instrument]\npub async fn how_warm(/// Where.\n city: String, mut day: Option<u8>) -> String { city }",
        );
        assert!(code.contains("pub struct HowWarm ;"), "{code}");
        assert!(
            code.contains(
                "pub async fn how_warm (city : String , mut day : Option < u8 >) -> String { city }"
            )
        );
        assert!(code.contains("# [doc = \" Where.\"] city : String , day : Option < u8 > ,"), "{code}");
        assert!(code.contains("\"how_warm\" , \"Says\\nhow warm it is.\""), "{code}");
        assert!(code.contains("how_warm (city , day) . await"), "{code}");
        let code = expanded("name = \"warmth\"", "/// X.\nasync fn r#type() {}");
        assert!(code.contains("\"warmth\"") && code.contains("struct Type ;"), "{code}");
    }

    #[test]
    fn what_cannot_be_a_tool_says_why() {
        let table = [
            ("", "/// X.\nfn a() {}", "async fn"),
            ("", "async fn a() {}", "doc comment"),
            ("", "/// \nasync fn a() {}", "doc comment"),
            ("", "/// X.\nasync fn a<T>(t: T) {}", "generics"),
            ("", "/// X.\nasync fn a(&self) {}", "self"),
            ("", "/// X.\nasync fn a((x, y): (u8, u8)) {}", "plain name"),
            ("", "struct A;", "expected"),
            ("title = \"a\"", "/// X.\nasync fn a() {}", "only setting"),
            ("name = 3", "/// X.\nasync fn a() {}", "string literal"),
        ];
        for (settings, item, part) in table {
            let text = expanded(settings, item);
            assert!(text.starts_with("error: ") && text.contains(part), "{item}: {text}");
        }
    }
}
