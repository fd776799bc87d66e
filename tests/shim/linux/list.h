/* SPDX-License-Identifier: GPL-2.0-only */
/* Doubly linked lists through a member. What is not in a list is known by its pointers. */
#ifndef AIRLOCK_SHIM_LIST_H
#define AIRLOCK_SHIM_LIST_H

#include <linux/bug.h>
#include <linux/compiler.h>
#include <linux/container_of.h>
#include <linux/types.h>

struct list_head {
	struct list_head *next, *prev;
};

#define LIST_HEAD_INIT(name) { &(name), &(name) }
#define LIST_HEAD(name) struct list_head name = LIST_HEAD_INIT(name)
/* What a removed node points to: nothing that can be read. */
#define SHIM_LIST_REMOVED ((struct list_head *)0x100)

static inline void INIT_LIST_HEAD(struct list_head *head)
{
	head->next = head;
	head->prev = head;
}

static inline bool list_empty(const struct list_head *head)
{
	return READ_ONCE(head->next) == head;
}

static inline bool list_is_singular(const struct list_head *head)
{
	return !list_empty(head) && head->next == head->prev;
}

static inline void shim_list_link(struct list_head *prev, struct list_head *next)
{
	next->prev = prev;
	WRITE_ONCE(prev->next, next);
}

static inline void shim_list_insert(struct list_head *node, struct list_head *prev, struct list_head *next)
{
	BUG_ON(prev->next != next || next->prev != prev);
	BUG_ON(node == prev || node == next);
	shim_list_link(node, next);
	shim_list_link(prev, node);
}

static inline void list_add(struct list_head *node, struct list_head *head)
{
	shim_list_insert(node, head, head->next);
}

static inline void list_add_tail(struct list_head *node, struct list_head *head)
{
	shim_list_insert(node, head->prev, head);
}

static inline void shim_list_remove(struct list_head *node)
{
	BUG_ON(node->next == SHIM_LIST_REMOVED);
	BUG_ON(node->next->prev != node || node->prev->next != node);
	shim_list_link(node->prev, node->next);
}

static inline void list_del(struct list_head *node)
{
	shim_list_remove(node);
	node->next = SHIM_LIST_REMOVED;
	node->prev = SHIM_LIST_REMOVED;
}

static inline void list_del_init(struct list_head *node)
{
	shim_list_remove(node);
	INIT_LIST_HEAD(node);
}

static inline void list_move(struct list_head *node, struct list_head *head)
{
	shim_list_remove(node);
	list_add(node, head);
}

static inline void list_move_tail(struct list_head *node, struct list_head *head)
{
	shim_list_remove(node);
	list_add_tail(node, head);
}

static inline void shim_list_splice(struct list_head *list, struct list_head *prev, struct list_head *next)
{
	if (list_empty(list))
		return;
	shim_list_link(list->prev, next);
	shim_list_link(prev, list->next);
	INIT_LIST_HEAD(list);
}

static inline void list_splice_init(struct list_head *list, struct list_head *head)
{
	shim_list_splice(list, head, head->next);
}

static inline void list_splice_tail_init(struct list_head *list, struct list_head *head)
{
	shim_list_splice(list, head->prev, head);
}

#define list_entry(p, type, member) container_of(p, type, member)
#define list_first_entry(head, type, member) list_entry((head)->next, type, member)
#define list_last_entry(head, type, member) list_entry((head)->prev, type, member)
#define list_next_entry(at, member) list_entry((at)->member.next, __typeof__(*(at)), member)
#define list_prev_entry(at, member) list_entry((at)->member.prev, __typeof__(*(at)), member)
#define list_first_entry_or_null(head, type, member)                                          \
	(list_empty(head) ? NULL : list_first_entry(head, type, member))
#define list_entry_is_head(at, head, member) (&(at)->member == (head))

#define list_for_each(at, head) for ((at) = (head)->next; (at) != (head); (at) = (at)->next)
#define list_for_each_safe(at, after, head)                                                   \
	for ((at) = (head)->next, (after) = (at)->next; (at) != (head); (at) = (after), (after) = (at)->next)
#define list_for_each_entry(at, head, member)                                                 \
	for ((at) = list_first_entry(head, __typeof__(*(at)), member);                        \
	     !list_entry_is_head(at, head, member); (at) = list_next_entry(at, member))
#define list_for_each_entry_reverse(at, head, member)                                         \
	for ((at) = list_last_entry(head, __typeof__(*(at)), member);                         \
	     !list_entry_is_head(at, head, member); (at) = list_prev_entry(at, member))
#define list_for_each_entry_safe(at, after, head, member)                                     \
	for ((at) = list_first_entry(head, __typeof__(*(at)), member),                        \
	     (after) = list_next_entry(at, member);                                           \
	     !list_entry_is_head(at, head, member);                                           \
	     (at) = (after), (after) = list_next_entry(after, member))

#endif
