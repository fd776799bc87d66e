// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attributes of devices and of their channels: names, places and formats of the kernel's own bus
 * (ABI/stable/sysfs-bus-vmbus), so that udev rules and tools find what they know. Not here, for
 * there is nothing to say: channels/N/latency and pending, which are about a page of the host that
 * an isolated guest does not have; out_full_first, which nobody counts; ring, of user space drivers.
 */
#include <linux/cpu.h>
#include <linux/kobject.h>
#include <linux/pci_ids.h>
#include <linux/slab.h>

#include "inside.h"
#include "ring_layout.h"

/* ---- devices ---- */

/* The kernel's numbers of a channel's states. */
static u32 state_number(const struct airlock_channel *channel)
{
	switch (READ_ONCE(channel->session.at.state)) {
	case CONTROL_STATE_CHANNEL_OPENING:
		return 1;
	case CONTROL_STATE_CHANNEL_OPENED:
		return 3;
	default:
		return 0;
	}
}

static ssize_t print_id(struct vmbus_device *vdev, char *text)
{
	return sysfs_emit(text, "%u\n", READ_ONCE(vdev->core->primary->relid));
}

static ssize_t print_state(struct vmbus_device *vdev, char *text)
{
	return sysfs_emit(text, "%u\n", state_number(vdev->core->primary));
}

static ssize_t print_monitor_id(struct vmbus_device *vdev, char *text)
{
	return sysfs_emit(text, "%u\n", vdev->core->primary->monitor);
}

static ssize_t print_class_id(struct vmbus_device *vdev, char *text)
{
	return sysfs_emit(text, "{%pUl}\n", vdev->core->class);
}

static ssize_t print_device_id(struct vmbus_device *vdev, char *text)
{
	return sysfs_emit(text, "{%pUl}\n", vdev->core->instance);
}

static ssize_t print_modalias(struct vmbus_device *vdev, char *text)
{
	return sysfs_emit(text, "vmbus:%*phN\n", (int)sizeof(vdev->core->class), vdev->core->class);
}

static ssize_t print_vendor(struct vmbus_device *vdev, char *text)
{
	return sysfs_emit(text, "0x%x\n", PCI_VENDOR_ID_MICROSOFT);
}

static ssize_t print_device(struct vmbus_device *vdev, char *text)
{
	return sysfs_emit(text, "0x%x\n", class_number(vdev->core->class));
}

static ssize_t print_numa_node(struct vmbus_device *vdev, char *text)
{
	return sysfs_emit(text, "%d\n", dev_to_node(&vdev->device));
}

/* A line each, the primary first: "relid:processor". */
static ssize_t print_channel_vp_mapping(struct vmbus_device *vdev, char *text)
{
	struct airlock_channel *channel = vdev->core->primary;
	struct airlock_connection *c = vdev->core->connection;
	unsigned long flags;
	int size;

	spin_lock_irqsave(&c->lock, flags);
	size = sysfs_emit(text, "%u:%u\n", channel->relid, channel->cpu);
	list_for_each_entry(channel, &vdev->core->subchannels, node)
		size += sysfs_emit_at(text, size, "%u:%u\n", channel->relid, channel->cpu);
	spin_unlock_irqrestore(&c->lock, flags);
	return size;
}

#define DEVICE(name)									\
static ssize_t name##_show(struct device *device, struct device_attribute *a, char *text) \
{											\
	return print_##name(to_vmbus_device(device), text);				\
}											\
static DEVICE_ATTR_RO(name)

DEVICE(id);
DEVICE(state);
DEVICE(monitor_id);
DEVICE(class_id);
DEVICE(device_id);
DEVICE(modalias);
DEVICE(vendor);
DEVICE(device);
DEVICE(numa_node);
DEVICE(channel_vp_mapping);

static ssize_t driver_override_show(struct device *device, struct device_attribute *a, char *text)
{
	return vmbus_override_show(to_vmbus_device(device), text);
}

static ssize_t driver_override_store(struct device *device, struct device_attribute *a, const char *text,
				     size_t size)
{
	return vmbus_override_store(to_vmbus_device(device), text, size);
}

static DEVICE_ATTR_RW(driver_override);

static struct attribute *device_attributes[] = {
	&dev_attr_id.attr, &dev_attr_state.attr, &dev_attr_monitor_id.attr, &dev_attr_class_id.attr,
	&dev_attr_device_id.attr, &dev_attr_modalias.attr, &dev_attr_vendor.attr, &dev_attr_device.attr,
	&dev_attr_numa_node.attr, &dev_attr_channel_vp_mapping.attr, &dev_attr_driver_override.attr,
	NULL
};

static const struct attribute_group device_group = { .attrs = device_attributes };

const struct attribute_group *vmbus_device_groups[] = { &device_group, NULL };

/* ---- channels ---- */

struct vmbus_channel {
	struct kobject kobject;
	struct airlock_channel *core;
};

#define to_vmbus_channel(k) container_of(k, struct vmbus_channel, kobject)

static ssize_t print_cpu(struct airlock_channel *channel, char *text)
{
	return sysfs_emit(text, "%u\n", READ_ONCE(channel->cpu));
}

static ssize_t print_subchannel_id(struct airlock_channel *channel, char *text)
{
	return sysfs_emit(text, "%u\n", channel->index);
}

static ssize_t print_monitor(struct airlock_channel *channel, char *text)
{
	return sysfs_emit(text, "%u\n", channel->monitor);
}

/* What we have signalled; what the host has. */
static ssize_t print_events(struct airlock_channel *channel, char *text)
{
	return sysfs_emit(text, "%llu\n", READ_ONCE(channel->out.signals) + READ_ONCE(channel->in.signals));
}

static ssize_t print_interrupts(struct airlock_channel *channel, char *text)
{
	return sysfs_emit(text, "%llu\n", READ_ONCE(channel->events));
}

static ssize_t print_intr_in_full(struct airlock_channel *channel, char *text)
{
	return sysfs_emit(text, "%llu\n", READ_ONCE(channel->in.signals));
}

static ssize_t print_intr_out_empty(struct airlock_channel *channel, char *text)
{
	return sysfs_emit(text, "%llu\n", READ_ONCE(channel->out.signals));
}

static ssize_t print_out_full_total(struct airlock_channel *channel, char *text)
{
	return sysfs_emit(text, "%llu\n", READ_ONCE(channel->out.full));
}

/* Words of an open ring, as they stand there: shown to people, believed by nobody. */
static u32 ring_word(u8 __host *control, u32 offset)
{
	return host_load32((u32 __host *)(control + offset));
}

static u32 ring_distance(u32 from, u32 to, u32 size)
{
	if (to >= size)
		return 0;
	return to >= from ? to - from : size - from + to;
}

static u32 find_out_mask(struct airlock_channel *channel)
{
	return ring_word(channel->out.control, RING_CONTROL_PAGE_INTERRUPT_MASK_OFFSET);
}

static u32 find_in_mask(struct airlock_channel *channel)
{
	return ring_word(channel->in.control, RING_CONTROL_PAGE_INTERRUPT_MASK_OFFSET);
}

static u32 find_read_avail(struct airlock_channel *channel)
{
	u32 write = ring_word(channel->in.control, RING_CONTROL_PAGE_WRITE_OFFSET);

	return ring_distance(READ_ONCE(channel->in.published), write, channel->in.context.ring_bytes);
}

static u32 find_write_avail(struct airlock_channel *channel)
{
	u32 read = ring_word(channel->out.control, RING_CONTROL_PAGE_READ_OFFSET);

	return channel->out.size - ring_distance(read, READ_ONCE(channel->out.write), channel->out.size);
}

/* Rings are there as long as nobody can close the channel. */
static ssize_t print_ring(struct airlock_channel *channel, char *text, u32 (*find)(struct airlock_channel *channel))
{
	ssize_t size = -EINVAL;

	mutex_lock(&channel->device->mutex);
	if (channel->in.control && channel->out.control)
		size = sysfs_emit(text, "%u\n", find(channel));
	mutex_unlock(&channel->device->mutex);
	return size;
}

#define CHANNEL(name, printing)								\
static ssize_t channel_show_##name(struct kobject *k, struct kobj_attribute *a, char *text) \
{											\
	struct airlock_channel *channel = to_vmbus_channel(k)->core;			\
											\
	return printing;								\
}											\
static struct kobj_attribute channel_##name = __ATTR(name, 0444, channel_show_##name, NULL)

CHANNEL(subchannel_id, print_subchannel_id(channel, text));
CHANNEL(monitor_id, print_monitor(channel, text));
CHANNEL(events, print_events(channel, text));
CHANNEL(interrupts, print_interrupts(channel, text));
CHANNEL(intr_in_full, print_intr_in_full(channel, text));
CHANNEL(intr_out_empty, print_intr_out_empty(channel, text));
CHANNEL(out_full_total, print_out_full_total(channel, text));
CHANNEL(out_mask, print_ring(channel, text, find_out_mask));
CHANNEL(in_mask, print_ring(channel, text, find_in_mask));
CHANNEL(read_avail, print_ring(channel, text, find_read_avail));
CHANNEL(write_avail, print_ring(channel, text, find_write_avail));

static ssize_t channel_show_cpu(struct kobject *k, struct kobj_attribute *a, char *text)
{
	return print_cpu(to_vmbus_channel(k)->core, text);
}

/* The processor must not go away before the channel is there, and moves along. */
static ssize_t channel_store_cpu(struct kobject *k, struct kobj_attribute *a, const char *text, size_t size)
{
	unsigned int cpu;
	int error = kstrtouint(text, 0, &cpu);

	if (error)
		return error;
	cpus_read_lock();
	if (cpu >= nr_cpu_ids || !cpu_active(cpu))
		error = -EINVAL;
	else
		error = airlock_channel_move(to_vmbus_channel(k)->core, cpu);
	cpus_read_unlock();
	return error ? error : (ssize_t)size;
}

static struct kobj_attribute channel_cpu = __ATTR(cpu, 0644, channel_show_cpu, channel_store_cpu);

static struct attribute *channel_attributes[] = {
	&channel_cpu.attr, &channel_subchannel_id.attr, &channel_monitor_id.attr, &channel_events.attr,
	&channel_interrupts.attr, &channel_intr_in_full.attr, &channel_intr_out_empty.attr,
	&channel_out_full_total.attr, &channel_out_mask.attr, &channel_in_mask.attr,
	&channel_read_avail.attr, &channel_write_avail.attr,
	NULL
};

static umode_t channel_is_visible(struct kobject *k, struct attribute *a, int number)
{
	if (a == &channel_monitor_id.attr && to_vmbus_channel(k)->core->monitor == NO_MONITOR)
		return 0;
	return a->mode;
}

static const struct attribute_group channel_group = { .attrs = channel_attributes, .is_visible = channel_is_visible };
static const struct attribute_group *channel_groups[] = { &channel_group, NULL };

static void channel_release(struct kobject *k)
{
	struct vmbus_channel *channel = to_vmbus_channel(k);

	airlock_channel_put(channel->core);
	kfree(channel);
}

static const struct kobj_type channel_type = {
	.release = channel_release,
	.sysfs_ops = &kobj_sysfs_ops,
	.default_groups = channel_groups,
};

/* Without its directory a channel works just as well. */
void vmbus_channel_added(struct airlock_channel *core)
{
	struct vmbus_device *vdev = core->device->bus_data;
	struct vmbus_channel *channel;

	if (!vdev || !vdev->channels)
		return;
	channel = kzalloc(sizeof(*channel), GFP_KERNEL);
	if (!channel)
		return;
	airlock_channel_get(core);
	channel->core = core;
	if (kobject_init_and_add(&channel->kobject, &channel_type, vdev->channels, "%u", READ_ONCE(core->relid)))
		kobject_put(&channel->kobject);
	else
		core->bus_data = channel;
}

/* When it returns, nobody reads or writes any of its files. */
void vmbus_channel_removed(struct airlock_channel *core)
{
	struct vmbus_channel *channel = core->bus_data;

	core->bus_data = NULL;
	if (!channel)
		return;
	kobject_del(&channel->kobject);
	kobject_put(&channel->kobject);
}

void vmbus_channels_create(struct vmbus_device *vdev)
{
	vdev->channels = kobject_create_and_add("channels", &vdev->device.kobj);
}

void vmbus_channels_remove(struct vmbus_device *vdev)
{
	struct kobject *channels = vdev->channels;

	vdev->channels = NULL;
	if (!channels)
		return;
	kobject_del(channels);
	kobject_put(channels);
}
