/*
 * Names in headers without a guard, which are included once for every type that they are for, with TH_TYPE defined:
 * TH_NAME(th_acc) is th_acc_s8 where TH_TYPE is s8, and TH_PART(fold) is th_max_pool2d_s8_fold where it is a kernel's
 * name.
 */
#ifndef TH_NAME_H
#define TH_NAME_H

#define TH_JOINED(first, second) first##_##second
#define TH_EXPANDED(first, second) TH_JOINED(first, second)
#define TH_NAME(name) TH_EXPANDED(name, TH_TYPE)
#define TH_PART(part) TH_EXPANDED(TH_TYPE, part)

#endif
