"""Pictures of certification paths and pools: a value first, then SVG, Graphviz's DOT or Mermaid made from it."""
