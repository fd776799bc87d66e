// SPDX-License-Identifier: GPL-2.0-only
/*
 * airlock_testbed.ko: the driver of QEMU's ivshmem-doorbell (PCI 1af4:1110, revision 1). Not loaded by
 * itself, since such devices have other uses, and in no production install.
 */
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/sizes.h>

#include "airlock.h"
#include "bus.h"
#include "testbed.h"

#define NAME "airlock_testbed"
#define BAR_REGISTERS 0
#define BAR_MEMORY 2
#define REVISION 1		/* with MSI-X and without INTx */
#define REGISTERS_SIZE 256
#define MEMORY_ALIGN SZ_2M	/* of what page structures are made for */

/* ---- the device ---- */

static int map_registers(struct testbed *t)
{
	struct device *dev = &t->pci->dev;
	resource_size_t start = pci_resource_start(t->pci, BAR_REGISTERS);

	if (pci_resource_len(t->pci, BAR_REGISTERS) < REGISTERS_SIZE)
		return -ENODEV;
	if (!devm_request_mem_region(dev, start, REGISTERS_SIZE, NAME))
		return -EBUSY;
	t->registers = devm_ioremap(dev, start, REGISTERS_SIZE);
	return t->registers ? 0 : -ENOMEM;
}

/* With page structures, so that runs of it can be mapped side by side. */
static int map_memory(struct testbed *t)
{
	struct device *dev = &t->pci->dev;
	resource_size_t start = pci_resource_start(t->pci, BAR_MEMORY);
	resource_size_t size = pci_resource_len(t->pci, BAR_MEMORY);

	size = min_t(resource_size_t, size, (resource_size_t)TESTBED_PAGES_MAX * PAGE_SIZE);
	if (!size || start % MEMORY_ALIGN || size % MEMORY_ALIGN)
		return -ENODEV;
	if (!devm_request_mem_region(dev, start, size, NAME))
		return -EBUSY;
	t->pagemap.type = MEMORY_DEVICE_GENERIC;
	t->pagemap.range.start = start;
	t->pagemap.range.end = start + size - 1;
	t->pagemap.nr_range = 1;
	t->at = devm_memremap_pages(dev, &t->pagemap);
	t->bar_pages = (u32)(size / PAGE_SIZE);
	return PTR_ERR_OR_ZERO(t->at);
}

static int map_device(struct testbed *t)
{
	int error = pcim_enable_device(t->pci);

	if (error)
		return error;
	error = map_registers(t);
	if (error)
		return error;
	return map_memory(t);
}

/* ---- interrupts ---- */

/*
 * The host can raise it whenever and as often as it likes. It says no more than "look", at messages or at
 * events; both are looked at, and neither look takes long. Should the processor go off-line, its vector
 * arrives elsewhere, which is no harm: who is meant is the vector's.
 */
static irqreturn_t handle_interrupt(int irq, void *data)
{
	const struct testbed_cpu *cpu = data;
	struct airlock_connection *c = cpu->testbed->connection;

	airlock_message_interrupt(c, cpu->cpu);
	airlock_event_interrupt(c, cpu->cpu);
	return IRQ_HANDLED;
}

static int count_vectors(struct testbed *t)
{
	int vectors = pci_msix_vec_count(t->pci);

	if (vectors <= 0)
		return -ENODEV;		/* ivshmem-plain, or no ivshmem at all */
	t->transport.cpus = min3((u32)vectors, nr_cpu_ids, (u32)TESTBED_CPUS_MAX);
	return 0;
}

static int alloc_vectors(struct testbed *t)
{
	int vectors;

	pci_set_master(t->pci);		/* MSI-X are writes by the device */
	vectors = pci_alloc_irq_vectors(t->pci, 1, t->transport.cpus, PCI_IRQ_MSIX);
	if (vectors < 0)
		return vectors;
	t->transport.cpus = min(t->transport.cpus, (u32)vectors);
	return 0;
}

static void free_interrupts(struct testbed *t, u32 count)
{
	while (count--) {
		int irq = pci_irq_vector(t->pci, count);

		irq_update_affinity_hint(irq, NULL);
		free_irq(irq, &t->cpus[count]);
	}
}

/* A processor that is off-line cannot be had now; its interrupts go to another. */
static int request_interrupt(struct testbed *t, u32 cpu)
{
	int irq = pci_irq_vector(t->pci, cpu);
	int error = request_irq(irq, handle_interrupt, IRQF_NOBALANCING, NAME, &t->cpus[cpu]);

	if (!error && irq_set_affinity_and_hint(irq, cpumask_of(cpu)))
		dev_notice(&t->pci->dev, "the interrupt of processor %u goes to another\n", cpu);
	return error;
}

static int request_interrupts(struct testbed *t)
{
	int error;
	u32 i;

	for (i = 0; i < t->transport.cpus; i++) {
		error = request_interrupt(t, i);
		if (error) {
			free_interrupts(t, i);
			return error;
		}
	}
	return 0;
}

/* ---- life ---- */

static struct testbed *make_testbed(struct pci_dev *pci)
{
	struct testbed *t = devm_kzalloc(&pci->dev, sizeof(*t), GFP_KERNEL);
	u32 i;

	if (!t)
		return NULL;
	t->pci = pci;
	for (i = 0; i < TESTBED_CPUS_MAX; i++) {
		t->cpus[i].testbed = t;
		t->cpus[i].cpu = i;
	}
	testbed_memory_init(t);
	testbed_transport_init(t);
	return t;
}

/* Leaked pages stay out of use until the module's next start, which every guest before it is forgotten at. */
static void report_leaks(struct testbed *t)
{
	u32 leaked = (u32)atomic_read(&t->visibility.leaked), used = testbed_memory_used(t);

	if (leaked || used)
		dev_notice(&t->pci->dev, "%u pages were leaked, %u were never freed\n", leaked, used);
}

/* The reverse of make_connection() and what is before it. */
static void release_all(struct testbed *t)
{
	if (t->connection)
		vmbus_release(t->connection);
	testbed_synic_destroy(t);
	pci_free_irq_vectors(t->pci);
	report_leaks(t);
}

/* Nobody is told before interrupts are enabled: what came earlier would be lost. */
static int make_connection(struct testbed *t)
{
	struct airlock_connection *c;
	int error = testbed_synic_create(t);

	if (error)
		return error;
	c = vmbus_prepare(&t->transport, &t->visibility, &t->pci->dev);
	if (IS_ERR(c))
		return PTR_ERR(c);
	t->connection = c;
	return request_interrupts(t);
}

/* After this it is for release_all() only. */
static void leave_host(struct testbed *t)
{
	vmbus_disconnect(t->connection);
	testbed_gone(t);
	free_interrupts(t, t->transport.cpus);
}

static int connect(struct testbed *t)
{
	int error;

	testbed_begin(t);
	error = make_connection(t);
	if (error)
		return error;
	testbed_ready(t);
	error = vmbus_connect(t->connection);
	if (error)
		leave_host(t);
	return error;
}

static int start(struct testbed *t)
{
	int error = testbed_meet_host(t);

	if (error)
		return dev_err_probe(&t->pci->dev, error, "there is no host to work with\n");
	error = alloc_vectors(t);
	if (error)
		return error;
	error = connect(t);
	if (error) {
		release_all(t);
		return dev_err_probe(&t->pci->dev, error, "no connection to the host\n");
	}
	dev_info(&t->pci->dev, "%u pages, %u processors\n", t->pages, t->transport.cpus);
	return 0;
}

static int testbed_probe(struct pci_dev *pci, const struct pci_device_id *id)
{
	struct testbed *t;
	int error;

	if (pci->revision != REVISION)
		return -ENODEV;
	t = make_testbed(pci);
	if (!t)
		return -ENOMEM;
	pci_set_drvdata(pci, t);
	error = count_vectors(t);
	if (error)
		return error;
	error = map_device(t);
	if (error)
		return error;
	return start(t);
}

static void testbed_remove(struct pci_dev *pci)
{
	struct testbed *t = pci_get_drvdata(pci);

	leave_host(t);
	release_all(t);
}

/* The machine goes down, or to another kernel, whose memory is not to be written: an honest host stops. */
static void testbed_shutdown(struct pci_dev *pci)
{
	struct testbed *t = pci_get_drvdata(pci);

	if (t)
		testbed_gone(t);
}

static const struct pci_device_id testbed_ids[] = {
	{ PCI_DEVICE(PCI_VENDOR_ID_REDHAT_QUMRANET, 0x1110) },
	{ }
};

static struct pci_driver testbed_driver = {
	.name = NAME,
	.id_table = testbed_ids,
	.probe = testbed_probe,
	.remove = testbed_remove,
	.shutdown = testbed_shutdown,
};

module_pci_driver(testbed_driver);

MODULE_DESCRIPTION("Airlock: test bed, a host process behind ivshmem");
MODULE_LICENSE("GPL");
