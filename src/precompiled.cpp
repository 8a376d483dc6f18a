// Empty on purpose: the precompiled header that the rooms share needs a source file.
