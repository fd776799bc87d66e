/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Proves what the generated validators' proofs take from the run-time: the contracts of
 * loads, stores and text checks. The lemmas teach shifts to provers that know sums, and
 * are themselves proven, each from the one before.
 */
/*@ lemma shl_2: \forall integer x; ((x << 1) << 1) == 4 * x && (x << 2) == 4 * x;
    lemma shl_4: \forall integer x; ((x << 2) << 2) == 16 * x && (x << 4) == 16 * x;
    lemma shl_8: \forall integer x; ((x << 4) << 4) == 256 * x && (x << 8) == 256 * x;
    lemma shl_16: \forall integer x; ((x << 8) << 8) == 65536 * x && (x << 16) == 65536 * x;
    lemma shl_24: \forall integer x; ((x << 16) << 8) == 16777216 * x && (x << 24) == 16777216 * x;
    lemma shl_32: \forall integer x; ((x << 24) << 8) == 256 * (x << 24) && (x << 32) == 256 * (x << 24) &&
	(x << 32) == 4294967296 * x;
    lemma shr_2: \forall integer x; 0 <= x ==> ((x >> 1) >> 1) == x / 4 && (x >> 2) == x / 4;
    lemma shr_4: \forall integer x; 0 <= x ==> ((x >> 2) >> 2) == x / 16 && (x >> 4) == x / 16;
    lemma shr_8: \forall integer x; 0 <= x ==> ((x >> 4) >> 4) == x / 256 && (x >> 8) == x / 256;
    lemma shr_16: \forall integer x; 0 <= x ==> ((x >> 8) >> 8) == x / 65536 && (x >> 16) == x / 65536;
    lemma shr_32: \forall integer x; 0 <= x ==> ((x >> 16) >> 16) == x / 4294967296 && (x >> 32) == x / 4294967296;
 */
#include "wire.h"
#include "wire_text.h"
