// SPDX-License-Identifier: GPL-2.0-only
/*
 * Spin locks and mutexes, and the rules about them: no lock twice, none left, none in the
 * wrong order, none that an interrupt or tasklet wants while it cannot be given back. The
 * rules are kept by classes, so that it takes no deadlock to see that there may be one.
 */
#include <sched.h>

#include <linux/atomic.h>
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>

#include "internal.h"

bool shim_fast;

/* ---- classes ---- */

#define CLASSES 64

static struct shim_lock_class *classes[CLASSES + 1];
static u32 class_count;
static pthread_mutex_t numbering = PTHREAD_MUTEX_INITIALIZER;

/* In which contexts locks of a class were taken. */
enum {
	IN_HARDIRQ = 1,
	IN_SOFTIRQ = 2,
	WITH_IRQS_ON = 4,	/* an interrupt may come while one is held */
	WITH_BH_ON = 8,		/* a tasklet may */
};

static u32 class_number(struct shim_lock_class *class)
{
	u32 number = READ_ONCE(class->number);

	if (number)
		return number;
	pthread_mutex_lock(&numbering);
	if (!class->number && class_count < CLASSES) {
		WRITE_ONCE(classes[class_count + 1], class);
		WRITE_ONCE(class->number, ++class_count);
	}
	number = class->number;
	pthread_mutex_unlock(&numbering);
	if (!number)
		shim_bug("more than %d classes of locks", CLASSES);
	return number;
}

static u32 use_of(const struct shim_context *context)
{
	switch (context->kind) {
	case SHIM_HARDIRQ:
		return IN_HARDIRQ;
	case SHIM_SOFTIRQ:
		return IN_SOFTIRQ | (context->irqs_off ? 0 : WITH_IRQS_ON);
	case SHIM_TASK:
		if (context->irqs_off)
			return 0;
		return WITH_IRQS_ON | (context->bh_off ? 0 : WITH_BH_ON);
	default:
		return 0;
	}
}

/* A lock of @class is about to be taken with the context as it will be then. */
static void check_use(struct shim_lock_class *class, const struct shim_context *context)
{
	u32 use = use_of(context), before = READ_ONCE(class->uses);

	if ((before | use) == before)
		return;
	use |= __atomic_fetch_or(&class->uses, use, __ATOMIC_RELAXED);
	if ((use & IN_HARDIRQ) && (use & WITH_IRQS_ON))
		shim_bug("lock %s is taken by interrupts, and with interrupts enabled", class->name);
	if ((use & IN_SOFTIRQ) && (use & WITH_BH_ON))
		shim_bug("lock %s is taken by tasklets, and with tasklets enabled", class->name);
}

/* Whether a lock of class @to was ever taken, by whatever steps, inside one of @from. */
static bool leads_to(u32 from, u32 to)
{
	u64 reached = 1ULL << (from - 1), before;
	u32 i;

	do {
		before = reached;
		for (i = 1; i <= CLASSES; i++)
			if (reached >> (i - 1) & 1)
				reached |= __atomic_load_n(&classes[i]->inside, __ATOMIC_RELAXED);
	} while (reached != before);
	return reached >> (to - 1) & 1;
}

static void check_order(struct shim_lock_class *class, const struct shim_context *context, bool nested)
{
	struct shim_lock_class *outer;
	u32 i, number = class_number(class);
	u64 bit = 1ULL << (number - 1);

	for (i = 0; i < context->held_count; i++) {
		outer = context->held[i].class;
		if (outer == class && !nested)
			shim_bug("lock %s is taken inside another of its class", class->name);
		if (outer == class || (READ_ONCE(outer->inside) & bit))
			continue;
		if (leads_to(number, class_number(outer)))
			shim_bug("lock %s is taken inside %s, which elsewhere is taken inside it", class->name,
				 outer->name);
		__atomic_fetch_or(&outer->inside, bit, __ATOMIC_RELAXED);
	}
}

/* ---- held locks ---- */

static void hold(struct shim_context *context, const void *lock, struct shim_lock_class *class, u32 way, bool off)
{
	if (context->held_count == SHIM_HELD)
		shim_bug("more than %d locks are held", SHIM_HELD);
	context->held[context->held_count++] = (struct shim_held) {
		.lock = lock, .class = class, .way = way, .irqs_were_off = off,
	};
}

static struct shim_held *find_held(struct shim_context *context, const void *lock)
{
	u32 i;

	for (i = context->held_count; i > 0; i--)
		if (context->held[i - 1].lock == lock)
			return &context->held[i - 1];
	return NULL;
}

static void let_go(struct shim_context *context, struct shim_held *held)
{
	struct shim_held *last = &context->held[--context->held_count];

	for (; held < last; held++)
		held[0] = held[1];
}

void shim_hold(const void *what, struct shim_lock_class *class)
{
	check_order(class, shim_context(), false);
	hold(shim_context(), what, class, SHIM_LOCK_PLAIN, false);
}

void shim_let_go(const void *what)
{
	let_go(shim_context(), find_held(shim_context(), what));
}

void shim_check_order(struct shim_lock_class *class)
{
	check_order(class, shim_context(), false);
}

bool shim_lock_held(const void *lock)
{
	return shim_fast || find_held(shim_context(), lock);
}

void shim_assert_held(const void *lock, const char *name)
{
	if (!shim_lock_held(lock))
		shim_bug("lock %s is not held", name);
}

/* ---- bare spin locks, for benchmarks ---- */

static void fast_lock(spinlock_t *lock)
{
	while (__atomic_exchange_n(&lock->owner, lock, __ATOMIC_ACQUIRE))
		while (READ_ONCE(lock->owner))
			sched_yield();
}

static void fast_unlock(spinlock_t *lock)
{
	__atomic_store_n(&lock->owner, NULL, __ATOMIC_RELEASE);
}

/* ---- spin locks ---- */

void shim_spin_init(spinlock_t *lock, struct shim_lock_class *class)
{
	lock->magic = SHIM_SPINLOCK;
	lock->class = class;
	lock->owner = NULL;
	pthread_mutex_init(&lock->mutex, NULL);
}

static void mask(struct shim_context *context, enum shim_lock_way way)
{
	if (way == SHIM_LOCK_IRQ && context->irqs_off)
		shim_bug("spin_lock_irq() with interrupts disabled: its unlock would enable them");
	if (way == SHIM_LOCK_BH && context->irqs_off)
		shim_bug("spin_lock_bh() with interrupts disabled");
	if (way == SHIM_LOCK_BH)
		context->bh_off++;
	else if (way != SHIM_LOCK_PLAIN)
		context->irqs_off = true;
}

static void unmask(struct shim_context *context, enum shim_lock_way way, bool irqs_were_off)
{
	if (way == SHIM_LOCK_BH)
		context->bh_off--;
	else if (way != SHIM_LOCK_PLAIN)
		context->irqs_off = irqs_were_off;
}

static void check_spin(const spinlock_t *lock, const char *what)
{
	if (lock->magic != SHIM_SPINLOCK)
		shim_bug("%s of a spin lock that was never initialised", what);
}

static void own_spin(spinlock_t *lock, struct shim_context *context, enum shim_lock_way way, bool off)
{
	WRITE_ONCE(lock->owner, context);
	context->atomic++;
	hold(context, lock, lock->class, way, off);
}

unsigned long shim_spin_lock(spinlock_t *lock, enum shim_lock_way way, bool nested)
{
	struct shim_context *context;
	bool off;

	if (shim_fast) {
		fast_lock(lock);
		return SHIM_FLAGS(0);
	}
	context = shim_context();
	off = context->irqs_off;
	check_spin(lock, "spin_lock()");
	mask(context, way);
	if (READ_ONCE(lock->owner) == context)
		shim_bug("lock %s is taken twice", lock->class->name);
	check_use(lock->class, context);
	check_order(lock->class, context, nested);
	if (shim_threads)
		pthread_mutex_lock(&lock->mutex);
	else if (lock->owner)
		shim_bug("lock %s is held by what this has interrupted", lock->class->name);
	own_spin(lock, context, way, off);
	return SHIM_FLAGS(off);
}

bool shim_spin_trylock(spinlock_t *lock, enum shim_lock_way way, unsigned long *flags)
{
	struct shim_context *context = shim_context();
	bool off = context->irqs_off;

	check_spin(lock, "spin_trylock()");
	mask(context, way);
	if (flags)
		*flags = SHIM_FLAGS(off);
	if (shim_threads ? pthread_mutex_trylock(&lock->mutex) != 0 : lock->owner != NULL) {
		unmask(context, way, off);
		return false;
	}
	check_use(lock->class, context);
	own_spin(lock, context, way, off);
	return true;
}

void shim_spin_unlock(spinlock_t *lock, enum shim_lock_way way, unsigned long flags)
{
	struct shim_context *context;
	struct shim_held *held;
	bool off;

	if (shim_fast) {
		fast_unlock(lock);
		return;
	}
	context = shim_context();
	check_spin(lock, "spin_unlock()");
	held = find_held(context, lock);
	if (!held)
		shim_bug("lock %s is unlocked by who does not hold it", lock->class->name);
	if (held->way != way)
		shim_bug("lock %s is unlocked in another way than it was locked", lock->class->name);
	off = held->irqs_were_off;
	if (way == SHIM_LOCK_SAVE && flags != SHIM_FLAGS(off))
		shim_bug("lock %s is unlocked with the flags of another", lock->class->name);
	let_go(context, held);
	context->atomic--;
	WRITE_ONCE(lock->owner, NULL);
	if (shim_threads)
		pthread_mutex_unlock(&lock->mutex);
	unmask(context, way, off);
}

/* ---- mutexes ---- */

void shim_mutex_init(struct mutex *lock, struct shim_lock_class *class)
{
	lock->magic = SHIM_MUTEX;
	lock->class = class;
	lock->owner = NULL;
	pthread_mutex_init(&lock->mutex, NULL);
}

static void check_mutex(const struct mutex *lock, const char *what)
{
	if (lock->magic != SHIM_MUTEX)
		shim_bug("%s of a mutex that was never initialised", what);
}

static bool mutex_is_free(void *argument)
{
	struct mutex *lock = argument;

	return !lock->owner;
}

static void own_mutex(struct mutex *lock, struct shim_context *context)
{
	WRITE_ONCE(lock->owner, context);
	hold(context, lock, lock->class, SHIM_LOCK_PLAIN, false);
}

void shim_mutex_lock(struct mutex *lock, bool nested)
{
	struct shim_context *context = shim_context();

	check_mutex(lock, "mutex_lock()");
	shim_may_sleep("mutex_lock()");
	if (READ_ONCE(lock->owner) == context)
		shim_bug("mutex %s is taken twice", lock->class->name);
	check_order(lock->class, context, nested);
	if (shim_threads)
		pthread_mutex_lock(&lock->mutex);
	else
		shim_wait(mutex_is_free, lock, SHIM_NEVER, lock->class->name);
	own_mutex(lock, context);
}

int mutex_trylock(struct mutex *lock)
{
	check_mutex(lock, "mutex_trylock()");
	if (shim_context()->kind != SHIM_TASK)
		shim_bug("mutex_trylock() in an interrupt or a tasklet");
	if (shim_threads ? pthread_mutex_trylock(&lock->mutex) != 0 : lock->owner != NULL)
		return 0;
	own_mutex(lock, shim_context());
	return 1;
}

void mutex_unlock(struct mutex *lock)
{
	struct shim_context *context = shim_context();
	struct shim_held *held;

	check_mutex(lock, "mutex_unlock()");
	held = find_held(context, lock);
	if (!held)
		shim_bug("mutex %s is unlocked by who does not hold it", lock->class->name);
	let_go(context, held);
	WRITE_ONCE(lock->owner, NULL);
	if (shim_threads)
		pthread_mutex_unlock(&lock->mutex);
}

bool mutex_is_locked(struct mutex *lock)
{
	check_mutex(lock, "mutex_is_locked()");
	return READ_ONCE(lock->owner);
}

void mutex_destroy(struct mutex *lock)
{
	check_mutex(lock, "mutex_destroy()");
	if (READ_ONCE(lock->owner))
		shim_bug("mutex %s is destroyed while it is held", lock->class->name);
	lock->magic = 0;
}
