"""Stateful maps over chunks of a sequence: mixers, blocks, backbones, stem and pooling."""
