"""A plugin that declares one of everything; the tests install it beside the product."""
