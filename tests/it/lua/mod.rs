//! Klatch in Lua: the tables that it is driven by.

mod table;
