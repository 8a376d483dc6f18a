// Nothing: the precompiled header that all unit tests share has to belong to something.
