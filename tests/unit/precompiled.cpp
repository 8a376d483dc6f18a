// Empty on purpose: the precompiled header that all unit tests share needs a source file.
