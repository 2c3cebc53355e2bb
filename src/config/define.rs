//! One definition, many outputs: [`settings!`] declares a key once, with its docs, and yields the
//! field of its section, its default, and the row of the table that everything else loops over.

use super::form::Written;
use super::keys::Config;

/// Whether a reload applies a changed value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reload {
    /// It does.
    Reload,
    /// Only a restart does.
    Restart,
}

/// One section of the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Section {
    pub(super) name: &'static str,
    pub(super) doc: &'static [&'static str],
    pub(super) keys: &'static [Key],
}

/// One key of a section.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    pub(super) section: &'static str,
    pub(super) name: &'static str,
    pub(super) doc: &'static [&'static str],
    /// What may be written, in words.
    pub(super) expected: fn() -> String,
    pub(super) reload: Reload,
    /// Its value in a configuration.
    pub(super) show: fn(&Config) -> toml::Value,
    /// Copies its value from one configuration into another.
    pub(super) copy: fn(&Config, &mut Config),
    /// Puts a written value into a configuration, or says what is wrong with it.
    pub(super) set: fn(&mut Config, &Written) -> Result<(), String>,
}

impl Key {
    /// `section.key`.
    pub(super) fn path(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }
}

/// `name: Type as Form = default, Reload;` for each key: `Type` is what travels in [`Config`],
/// [`Form`](super::form::Form) is how people write it.
macro_rules! settings {
    ($(
        $(#[doc = $section_doc:literal])*
        $section:ident: $Section:ident {
            $(
                $(#[doc = $doc:literal])*
                $key:ident: $type:ty as $form:ty = $default:expr, $reload:ident;
            )*
        }
    )*) => {
        /// Everything an operator may choose, checked.
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct Config {
            $($(#[doc = $section_doc])* pub $section: $Section,)*
        }

        $(
            $(#[doc = $section_doc])*
            #[derive(Debug, Clone, PartialEq)]
            pub struct $Section {
                $($(#[doc = $doc])* pub $key: $type,)*
            }

            impl Default for $Section {
                fn default() -> Self {
                    Self { $($key: $default,)* }
                }
            }
        )*

        /// Every section with every key, in the order of the declaration.
        pub(super) const SECTIONS: &[Section] = &[$(
            Section {
                name: stringify!($section),
                doc: &[$($section_doc),*],
                keys: &[$(
                    Key {
                        section: stringify!($section),
                        name: stringify!($key),
                        doc: &[$($doc),*],
                        expected: <$form as Form<$type>>::expected,
                        reload: Reload::$reload,
                        show: |config| <$form as Form<$type>>::show(&config.$section.$key),
                        copy: |from, to| to.$section.$key.clone_from(&from.$section.$key),
                        set: |config, written| {
                            config.$section.$key = <$form as Form<$type>>::read(written)?;
                            Ok(())
                        },
                    },
                )*],
            },
        )*];
    };
}
pub(super) use settings;
