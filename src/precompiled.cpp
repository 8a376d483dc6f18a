// Nothing: the precompiled header that the rooms share has to belong to something.
