// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attacks on discovery: what the hypervisor says of itself before there is any VMBus.
 */
#include "control_act.h"
#include "discovery.h"

static const struct discovery_range ram[] = { { 0, 0xc0000000 }, { 0x100000000, 0x240000000 } };
static struct discovery_cpuid cpuid;
static struct discovery_hardware hardware;
static struct discovery_result result;

/* An honest hypervisor below an SNP guest with a paravisor and vTOM at bit 46. */
static void start_discovery(void)
{
	scene_start(SCENE_ECHO);
	cpuid = (struct discovery_cpuid){
		.max_leaf = 0x4000000c, .vendor = { 0x7263694d, 0x666f736f, 0x76482074 }, .interface = 0x31237648,
		.features_a = 1 << 2 | 1 << 5 | 1 << 6, .features_b = 1 << 4 | 1 << 5 | 1 << 22, .hints = 1 << 9,
		.vps_max = 64, .isolation_a = 1, .isolation_b = 2 | 1 << 5 | 46 << 6,
		.stack_max_leaf = 0x40000082, .stack_signature = 0x31235356, .stack_properties = 1 << 3,
	};
	hardware = (struct discovery_hardware){
		.kind = DISCOVERY_SNP, .paravisor = true, .address_bits = 48, .ram = ram, .ram_count = 2, .cpus = 4,
	};
	expect(!discovery_check(&cpuid, &hardware, &scene->policy, &result));
	expect(result.isolated && result.paravisor && result.confidential && result.boundary == 1ULL << 46);
}

static void refused(enum core_rule rule, const char *name)
{
	int got = discovery_check(&cpuid, &hardware, &scene->policy, &result);

	strike("leaves judged");
	expect(got == (int)rule);
	evidence("refused: %s", name);
	scene_works();
	scene_end(0);
}

static void not_believed(enum core_rule rule, const char *name)
{
	expect(!discovery_check(&cpuid, &hardware, &scene->policy, &result));
	strike("leaves judged");
	expect(result.noted == rule);
	evidence("not believed: %s", name);
	scene_works();
	scene_end(0);
}

ATTACK(isolation_hidden, "C-001", "isolation is hidden from a guest that the hardware isolates")
{
	start_discovery();
	cpuid.features_b &= ~(1U << 22);
	refused(CORE_RULE_DISCOVERY_ISOLATION, "core.discovery.isolation");
}

ATTACK(isolation_other, "C-002", "TDX is claimed to an SNP guest, then a type nobody knows")
{
	start_discovery();
	cpuid.isolation_b = (cpuid.isolation_b & ~15U) | 3;
	expect(discovery_check(&cpuid, &hardware, &scene->policy, &result) == CORE_RULE_DISCOVERY_ISOLATION);
	cpuid.isolation_b = (cpuid.isolation_b & ~15U) | 9;
	refused(CORE_RULE_DISCOVERY_ISOLATION, "core.discovery.isolation");
}

ATTACK(paravisor_claimed, "C-003", "a paravisor is claimed where there is none")
{
	start_discovery();
	hardware.paravisor = false;
	refused(CORE_RULE_DISCOVERY_PARAVISOR, "core.discovery.paravisor");
}

ATTACK(boundary, "C-004", "shared-memory boundary at bit 0, at bit 63, inside of RAM, beyond the address width")
{
	static const u32 bits[] = { 0, 63, 32, 50 };
	u32 i;

	start_discovery();
	for (i = 0; i < 3; i++) {
		cpuid.isolation_b = 2 | 1 << 5 | bits[i] << 6;
		expect(discovery_check(&cpuid, &hardware, &scene->policy, &result) == CORE_RULE_DISCOVERY_BOUNDARY);
	}
	cpuid.isolation_b = 2 | 1 << 5 | bits[3] << 6;
	refused(CORE_RULE_DISCOVERY_BOUNDARY, "core.discovery.boundary");
}

ATTACK(confidential_claimed, "C-005", "confidential VMBus is offered without its paravisor, signature or leaf")
{
	start_discovery();
	cpuid.stack_signature = 0;
	expect(!discovery_check(&cpuid, &hardware, &scene->policy, &result) && !result.confidential);
	cpuid.stack_signature = 0x31235356;
	cpuid.stack_max_leaf = 0x40000081;
	expect(!discovery_check(&cpuid, &hardware, &scene->policy, &result) && !result.confidential);
	strike("leaves judged");
	scene->policy.confidential_required = true;
	refused(CORE_RULE_DISCOVERY_CONFIDENTIAL, "core.discovery.confidential");
}

ATTACK(confidential_hidden, "C-006", "confidential VMBus is withdrawn where the policy demands it")
{
	start_discovery();
	cpuid.stack_properties = 0;
	expect(!discovery_check(&cpuid, &hardware, &scene->policy, &result) && !result.confidential);
	scene->policy.confidential_required = true;
	refused(CORE_RULE_DISCOVERY_CONFIDENTIAL, "core.discovery.confidential");
}

ATTACK(leaves_absurd, "C-007", "an absurd maximum of leaves")
{
	start_discovery();
	cpuid.max_leaf = 0xffffffff;
	expect(discovery_check(&cpuid, &hardware, &scene->policy, &result) == CORE_RULE_DISCOVERY_LEAVES);
	cpuid.max_leaf = 0x40000001;
	refused(CORE_RULE_DISCOVERY_LEAVES, "core.discovery.leaves");
}

ATTACK(vp_numbers, "C-008", "numbers of processors out of range, and twice the same")
{
	u32 known[2] = { 0, 5 };

	start_discovery();
	expect(!discovery_check_vp(&result, known, 2, 6));
	expect(discovery_check_vp(&result, known, 2, 5) == CORE_RULE_DISCOVERY_VP);
	expect(discovery_check_vp(&result, known, 2, 64) == CORE_RULE_DISCOVERY_VP);
	expect(discovery_check_vp(&result, known, 2, 0xffffffff) == CORE_RULE_DISCOVERY_VP);
	strike("4 numbers judged");
	evidence("core.discovery.vp");
	scene_works();
	scene_end(0);
}

ATTACK(synic_pages, "C-009", "SynIC pages inside of the guest's RAM, 0, and twice the same")
{
	u64 known[1] = { 0xfe000000 };

	start_discovery();
	expect(!discovery_check_page(&hardware, known, 1, 0xfe001000));
	expect(discovery_check_page(&hardware, known, 1, 0x1000) == CORE_RULE_DISCOVERY_PAGES);
	expect(discovery_check_page(&hardware, known, 1, 0) == CORE_RULE_DISCOVERY_PAGES);
	expect(discovery_check_page(&hardware, known, 1, 0xfe000000) == CORE_RULE_DISCOVERY_PAGES);
	expect(discovery_page(&result, 1ULL << 46 | 0xfe001001) == 0xfe001000);
	strike("4 pages judged");
	evidence("core.discovery.pages");
	scene_works();
	scene_end(0);
}

ATTACK(sint_bits, "C-010", "foreign vector, auto EOI and proxy bits in the SINT register read back")
{
	struct discovery_sint ours = { .vector = 0xf3 };
	u64 value;

	start_discovery();
	value = discovery_sint_value(0xffffffffffffffffULL, &ours);
	strike("SINT reads all ones");
	expect((value & 0xff) == 0xf3 && !(value >> 16 & 0x1f & ~8ULL));
	evidence("all defined fields are written explicitly: %#llx", (unsigned long long)value);
	scene_works();
	scene_end(0);
}

ATTACK(vector_early, "C-011", "the interrupt comes before there is a connection, and after its end")
{
	u32 cpu;

	scene_prepare(SCENE_ECHO);
	expect(!airlock_connection_init(&scene->connection, scene->transport, sim_visibility(), NULL, &scene->policy));
	for (cpu = 0; cpu < 4; cpu++) {
		airlock_message_interrupt(&scene->connection, cpu);
		airlock_event_interrupt(&scene->connection, cpu);
	}
	scene_run(10);
	airlock_connection_destroy(&scene->connection);
	expect(!scene_connect());
	scene_run(50);
	strike("8 interrupts before contact");
	scene_works();
	airlock_disconnect(&scene->connection);
	for (cpu = 0; cpu < 4; cpu++) {
		airlock_message_interrupt(&scene->connection, cpu);
		airlock_event_interrupt(&scene->connection, cpu);
	}
	scene_run(10);
	evidence("nothing to read, nothing done");
	scene_end(0);
}

static u8 __host *no_slot(struct transport *t, u32 cpu)
{
	(void)t;
	(void)cpu;
	return NULL;
}

static u32 __host *no_flags(struct transport *t, u32 cpu)
{
	(void)t;
	(void)cpu;
	return NULL;
}

ATTACK(vector_elsewhere, "C-012", "the interrupt comes on a processor whose SynIC is not set up")
{
	struct transport_ops ops, *const without = &ops;
	const struct transport_ops *with;

	scene_start(SCENE_ECHO);
	with = scene->transport->ops;
	ops = *with;
	without->slot = no_slot;
	without->flags = no_flags;
	scene->transport->ops = without;
	airlock_message_interrupt(&scene->connection, 0);
	airlock_event_interrupt(&scene->connection, 3);
	scene_run(10);
	strike("interrupted without pages");
	scene->transport->ops = with;
	evidence("nothing is read where there are no pages");
	scene_works();
	scene_end(0);
}

ATTACK(vector_anywhere, "C-013", "interrupts at any instruction")
{
	unsigned int i;

	scene_start(SCENE_ECHO | SCENE_DISK);
	for (i = 0; i < 200; i++) {
		host_set_event(scene->host, i % 4, 1 + i % 64);
		airlock_event_interrupt(&scene->connection, i % 4);
		airlock_message_interrupt(&scene->connection, i % 4);
		if (i % 8 == 0)
			expect(scene_echo());
	}
	strike("400 interrupts between everything else");
	evidence("the handlers take no lock that is held with interrupts on: the shim's lock checker agrees");
	scene_works();
	scene_end(0);
}

ATTACK(nested_claimed, "C-014", "nesting is claimed to an isolated guest")
{
	start_discovery();
	cpuid.hints |= 1 << 12;
	expect(!discovery_check(&cpuid, &hardware, &scene->policy, &result) && !result.nested);
	not_believed(CORE_RULE_DISCOVERY_NESTED, "core.discovery.nested");
}

ATTACK(writes_ignored, "C-015", "the SynIC ignores everything: nothing is ever delivered")
{
	scene_prepare(SCENE_ECHO);
	scene->host->answers = false;
	expect(scene_connect());
	strike("no answer to the first contact");
	expect(shim_waited() <= scene->policy.contact_deadline + 2000);
	evidence("given up after %llu ms", (unsigned long long)shim_waited());
	scene_end(0);
}
