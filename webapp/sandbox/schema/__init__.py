"""JSON schemas: values that are valid for them, made without a model.

`filled` is the way in. A value is the same whenever the same schema is given. The work is bounded: a schema for which
no value is found within MAX_STEPS is refused, and so is one that has no finite value at all.
"""

from webapp.sandbox.schema.fill import filled as filled
