/*
 * base: the ground everybody stands on. This is the only header of the module that others include.
 */
#ifndef WEIR_BASE_H
#define WEIR_BASE_H

#include "base/digest.h"
#include "base/err.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/option.h"
#include "base/source.h"
#include "base/text.h"

#endif
