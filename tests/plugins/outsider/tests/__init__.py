"""Tests of named notes."""
