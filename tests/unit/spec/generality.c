/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Formats that are not ours, with bytes that others made: TCP packets and DHCP messages
 * captured from this machine's programs, and its ELF files. All are accepted; broken in
 * one place, each is rejected by the rule that place belongs to; and the generated C
 * decides like the interpreter, always. generality.sh makes the bytes and runs this.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "airspec.h"
#include "interp.h"
#include "dhcp.h"
#include "elf64.h"
#include "packet.h"

#define MOST_RULES 128
#define MOST_SHOWN 5
#define MOST_FILE (64l << 20)

static bool any_failed;

static void report(bool good, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void report(bool good, const char *format, ...)
{
	va_list args;

	fputs(good ? "ok " : "not ok ", stdout);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	any_failed |= !good;
}

static void __attribute__((noreturn, format(printf, 1, 2))) give_up(const char *format, ...)
{
	va_list args;

	fputs("not ok ", stdout);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	exit(1);
}

/* ---- one format ---- */

struct format {
	struct spec *spec;
	struct layout *layout;
	int (*generated)(const u8 *bytes, u32 size);
	unsigned long checks, differences;
	bool broken[MOST_RULES];	/* rules some bytes broke */
};

static int check_packet(const u8 *bytes, u32 size)
{
	struct packet_ethernet view;

	return packet_check_ethernet(bytes, size, &view);
}

static int check_elf64(const u8 *bytes, u32 size)
{
	struct elf64_file view;

	return elf64_check_file(bytes, size, &view);
}

static int check_dhcp(const u8 *bytes, u32 size)
{
	struct dhcp_message view;

	return dhcp_check_message(bytes, size, &view);
}

static void open_format(struct format *format, const char *path, const char *layout,
			int (*generated)(const u8 *bytes, u32 size))
{
	format->spec = spec_read(path, stdout);
	if (!format->spec)
		give_up("%s can be read: %s", path, strerror(errno));
	report(!format->spec->errors && !format->spec->warnings, "%s is well-formed", path);
	format->layout = spec_layout(format->spec, layout);
	if (format->spec->errors || !format->layout || format->spec->rule_count >= MOST_RULES)
		exit(1);
	format->generated = generated;
}

static const char *rule_name(const struct format *format, u32 number)
{
	const struct rule *rule = number ? spec_rule(format->spec, number) : NULL;

	return rule ? rule->name : number ? "(no such rule)" : "accepted";
}

/* Both decide, on a copy that ends where its memory does; the interpreter's word counts. */
static const char *decide(struct format *format, const u8 *bytes, u32 size)
{
	struct interp_message message = { .size = size };
	u8 *copy = malloc(size ? size : 1);
	u32 expected;
	int found;

	if (!copy)
		give_up("there is memory for %u bytes", size);
	memcpy(copy, bytes, size);
	message.bytes = copy;
	expected = interp_check(format->spec, format->layout, &message, NULL);
	found = format->generated(copy, size);
	free(copy);
	format->checks++;
	if ((u32)found != expected && format->differences++ < MOST_SHOWN)
		report(false, "%u bytes: the interpreter says %s, generated C says %s", size,
		       rule_name(format, expected), rule_name(format, (u32)found));
	if (expected < MOST_RULES)
		format->broken[expected] = true;
	return rule_name(format, expected);
}

/* "" as rule: accepted. Rules are named without the protocol. */
static bool decides(struct format *format, const u8 *bytes, u32 size, const char *rule, const char **said)
{
	size_t skip = strlen(format->spec->name) + 1;

	*said = decide(format, bytes, size);
	if (!strcmp(*said, "accepted"))
		return !*rule;
	return *rule && !strcmp(*said + skip, rule);
}

static void expect(struct format *format, const u8 *bytes, u32 size, const char *rule, const char *what)
{
	const char *said;

	if (decides(format, bytes, size, rule, &said))
		report(true, "%s: %s: %s", format->spec->name, what, said);
	else
		report(false, "%s: %s: %s, expected %s", format->spec->name, what, said, *rule ? rule : "accepted");
}

/* Sweeps: many checks, one line. */
struct sweep {
	struct format *format;
	unsigned long checks, wrong;
};

static void sweep_one(struct sweep *sweep, const u8 *bytes, u32 size, const char *rule)
{
	const char *said;

	sweep->checks++;
	if (!decides(sweep->format, bytes, size, rule, &said) && sweep->wrong++ < MOST_SHOWN)
		printf("# %u bytes: %s, expected %s\n", size, said, *rule ? rule : "accepted");
}

static void end_sweep(const struct sweep *sweep, const char *what)
{
	report(!sweep->wrong && sweep->checks, "%s: %s (%lu checks, %lu wrong)", sweep->format->spec->name, what,
	       sweep->checks, sweep->wrong);
}

/* Each byte of the first ones, with values that sit on edges; whatever the verdict, it is one. */
static void shake(struct format *format, const u8 *bytes, u32 size, u32 most)
{
	u8 *copy = malloc(size);
	u32 i, j;

	if (!copy)
		give_up("there is memory for %u bytes", size);
	memcpy(copy, bytes, size);
	for (i = 0; i < size && i < most; i++) {
		const u8 values[] = { 0, 1, 0x7f, 0x80, 0xff, (u8)(bytes[i] + 1), (u8)(bytes[i] - 1), (u8)~bytes[i] };

		for (j = 0; j < sizeof(values); j++) {
			copy[i] = values[j];
			decide(format, copy, size);
		}
		copy[i] = bytes[i];
	}
	free(copy);
}

static bool is_among(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (!strcmp(name, *names))
			return true;
	return false;
}

/* Every rule was broken, but those named, which no bytes can break; and none of these was. */
static void end_format(struct format *format, const char *const *unbreakable)
{
	size_t skip = strlen(format->spec->name) + 1;
	const struct rule *rule;
	u32 missed = 0;

	for (rule = format->spec->rules; rule; rule = rule->next) {
		if (format->broken[rule->number] != is_among(rule->name + skip, unbreakable))
			continue;
		printf("# %s %s\n", rule->name, format->broken[rule->number] ? "can be broken" : "was never broken");
		missed++;
	}
	report(!missed, "%s: each of %u rules was broken, but those that cannot be", format->spec->name,
	       format->spec->rule_count);
	report(!format->differences, "%s: generated C and interpreter agree in %lu checks", format->spec->name,
	       format->checks);
	spec_free(format->spec);
}

/* ---- bytes ---- */

struct bytes {
	u8 *data;
	u32 size;
};

static struct bytes read_bytes(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct bytes bytes = { 0 };
	long size;

	if (!file || fseek(file, 0, SEEK_END) || (size = ftell(file)) < 0 || size > MOST_FILE)
		give_up("%s can be read, and has at most 64 MiB", path);
	rewind(file);
	bytes.size = (u32)size;
	bytes.data = malloc(bytes.size + 1);
	if (!bytes.data || fread(bytes.data, 1, bytes.size, file) != bytes.size)
		give_up("%s can be read whole", path);
	fclose(file);
	return bytes;
}

static u32 get_be16(const u8 *p)
{
	return (u32)p[0] << 8 | p[1];
}

static void put_be16(u8 *p, u32 value)
{
	p[0] = (u8)(value >> 8);
	p[1] = (u8)value;
}

static u64 get_le(const u8 *p, u32 width)
{
	u64 value = 0;

	while (width--)
		value = value << 8 | p[width];
	return value;
}

static void put_le(u8 *p, u32 width, u64 value)
{
	for (; width--; value >>= 8)
		*p++ = (u8)value;
}

/* Calls each for the packets of a capture; the file is this machine's own, in its byte order. */
static u32 for_packets(const char *path, void (*each)(void *arg, const u8 *bytes, u32 size), void *arg)
{
	struct bytes file = read_bytes(path);
	u32 at = 24, count = 0, words[4];

	if (file.size < 24 || memcmp(file.data, &(u32){ 0xa1b2c3d4 }, 4) || file.data[20] != 1)
		give_up("%s is a capture of Ethernet frames", path);
	for (; file.size - at >= sizeof(words); count++) {
		memcpy(words, file.data + at, sizeof(words));
		at += sizeof(words);
		if (words[2] != words[3] || words[2] > file.size - at)
			give_up("%s holds whole packets", path);
		each(arg, file.data + at, words[2]);
		at += words[2];
	}
	free(file.data);
	return count;
}

/* ---- packets ---- */

#define IP 14			/* where the IP header lies */
#define TCP (IP + 20)		/* there are no IP options */
#define OPTIONS (TCP + 20)

struct packets {
	struct sweep accepted;
	u32 count, shaken;
	u8 syn[128];
	u32 syn_size;
	u8 data[128];		/* some packet with 4 bytes of data or more, cut there */
	u32 data_size;
};

static void take_packet(void *arg, const u8 *bytes, u32 size)
{
	struct packets *packets = arg;

	sweep_one(&packets->accepted, bytes, size, "");
	packets->count++;
	if (size < OPTIONS || bytes[IP] != 0x45)
		return;
	if (packets->shaken++ < 40)
		shake(packets->accepted.format, bytes, size, 100);
	if (bytes[TCP + 13] == 2 && size <= sizeof(packets->syn)) {
		memcpy(packets->syn, bytes, size);
		packets->syn_size = size;
	}
	if (size >= OPTIONS + 12 + 4 && bytes[TCP + 12] >> 4 == 8 && size <= sizeof(packets->data)) {
		memcpy(packets->data, bytes, size);
		packets->data_size = size;
	}
}

/* One place of the SYN changed; its options are mss, sack_permitted, timestamps, nop, window_scale. */
struct change {
	const char *what;
	u32 at, width;
	u64 value;
	const char *rule;
};

static const struct change packet_changes[] = {
	{ "IPv6 by its ether type", 12, 2, 0x86dd, "ethernet.ether_type.value" },
	{ "IP version 6", IP, 1, 0x65, "ipv4.first.version.value" },
	{ "an IP header of 16 bytes", IP, 1, 0x44, "ipv4.first.header_words.limit" },
	{ "no IP header", IP, 1, 0x40, "ipv4.first.header_words.limit" },
	{ "a total length of 19", IP + 2, 2, 19, "ipv4.total_length.limit" },
	{ "a total length of 0", IP + 2, 2, 0, "ipv4.total_length.limit" },
	{ "one byte more than there is", IP + 2, 2, 61, "ipv4.extent" },
	{ "a total length of 65535", IP + 2, 2, 65535, "ipv4.extent" },
	{ "more fragments", IP + 6, 2, 0x2000, "ipv4.fragment.more.zero" },
	{ "a later fragment", IP + 6, 2, 1, "ipv4.fragment.offset.zero" },
	{ "the reserved flag", IP + 6, 2, 0x8000, "ipv4.fragment.reserved.zero" },
	{ "no hops left", IP + 8, 1, 0, "ipv4.hops_left.limit" },
	{ "another protocol inside", IP + 9, 1, 17, "" },
	{ "source port 0", TCP, 2, 0, "tcp_segment.source_port.limit" },
	{ "target port 0", TCP + 2, 2, 0, "tcp_segment.target_port.limit" },
	{ "a TCP header of 16 bytes", TCP + 12, 1, 0x40, "tcp_segment.control.header_words.limit" },
	{ "a TCP header beyond the packet", TCP + 12, 1, 0xb0, "tcp_segment.options.bounds" },
	{ "the longest TCP header", TCP + 12, 1, 0xf0, "tcp_segment.options.bounds" },
	{ "SYN and FIN", TCP + 13, 1, 3, "tcp_segment.one_intent" },
	{ "SYN and RST", TCP + 13, 1, 6, "tcp_segment.one_intent" },
	{ "no flags", TCP + 13, 1, 0, "tcp_segment.sense" },
	{ "FIN alone", TCP + 13, 1, 1, "tcp_segment.sense" },
	{ "SYN's options without SYN", TCP + 13, 1, 0x10, "tcp_option.syn_only" },
	{ "mss with a length of 0", OPTIONS + 1, 1, 0, "tcp_option.length.range" },
	{ "mss with a length of 1", OPTIONS + 1, 1, 1, "tcp_option.length.range" },
	{ "mss with a length of 41", OPTIONS + 1, 1, 41, "tcp_option.length.range" },
	{ "mss with a length of 255", OPTIONS + 1, 1, 255, "tcp_option.length.range" },
	{ "mss beyond the options", OPTIONS + 1, 1, 21, "tcp_option.value.bounds" },
	{ "mss too short", OPTIONS + 1, 1, 3, "tcp_option.value.bounds" },
	{ "mss too long", OPTIONS + 1, 1, 5, "tcp_option.value.filled" },
	{ "mss of 63", OPTIONS + 2, 2, 63, "mss_option.bytes_most.limit" },
	{ "mss of 64", OPTIONS + 2, 2, 64, "" },
	{ "sack_permitted with a byte", OPTIONS + 5, 1, 3, "tcp_option.value.filled" },
	{ "sack without blocks", OPTIONS + 4, 2, 0x0502, "sack_option.not_empty" },
	{ "sack of half a block", OPTIONS + 4, 2, 0x0506, "sack_option.blocks.whole" },
	{ "timestamps too short", OPTIONS + 7, 1, 9, "tcp_option.value.bounds" },
	{ "timestamps too long", OPTIONS + 7, 1, 11, "tcp_option.value.filled" },
	{ "an option nobody knows", OPTIONS + 6, 1, 99, "" },
	{ "an option cut behind its kind", OPTIONS + 17, 3, 0x010102, "tcp_option.length.bounds" },
	{ "the end, and anything after it", OPTIONS, 4, 0x0002ffff, "" },
	{ "window scale of 14", OPTIONS + 19, 1, 14, "" },
	{ "window scale of 15", OPTIONS + 19, 1, 15, "window_scale_option.shift.limit" },
	{ "window scale too short", OPTIONS + 18, 1, 2, "tcp_option.value.bounds" },
};

static void put_be(u8 *p, u32 width, u64 value)
{
	while (width--) {
		p[width] = (u8)value;
		value >>= 8;
	}
}

static void change_packet(struct format *format, const struct packets *packets)
{
	u8 copy[sizeof(packets->syn)];
	size_t i;

	for (i = 0; i < sizeof(packet_changes) / sizeof(packet_changes[0]); i++) {
		const struct change *change = &packet_changes[i];

		memcpy(copy, packets->syn, packets->syn_size);
		put_be(copy + change->at, change->width, change->value);
		expect(format, copy, packets->syn_size, change->rule, change->what);
	}
}

/* Cut at each length: as the wire would, and with a total length that knows of it. */
static void cut_packet(struct format *format, const struct packets *packets)
{
	struct sweep cut = { .format = format };
	u8 copy[sizeof(packets->syn)];
	u32 size;

	for (size = 0; size < packets->syn_size; size++)
		sweep_one(&cut, packets->syn, size, size < IP ? "ethernet.size" : size < TCP ? "ipv4.size" :
			  "ipv4.extent");
	end_sweep(&cut, "a packet cut at each length");
	cut.checks = 0;
	memcpy(copy, packets->syn, packets->syn_size);
	for (size = TCP; size < packets->syn_size; size++) {
		put_be16(copy + IP + 2, size - IP);
		sweep_one(&cut, copy, size, size < OPTIONS ? "tcp_segment.size" : "tcp_segment.options.bounds");
	}
	end_sweep(&cut, "a packet cut at each length, and its total length set so");
	cut.checks = 0;
	memcpy(copy, packets->data, packets->data_size);
	for (size = OPTIONS + 12; size <= packets->data_size; size++) {
		put_be16(copy + IP + 2, size - IP);
		sweep_one(&cut, copy, size, "");
	}
	end_sweep(&cut, "data cut at each length is less data");
}

/* Four bytes of IP options put in front of the TCP header. */
static void route_packet(struct format *format, const struct packets *packets)
{
	static const struct {
		const char *what;
		u8 options[4];
		const char *rule;
	} cases[] = {
		{ "router alert", { 148, 4, 0, 0 }, "" },
		{ "an IP option of length 1", { 148, 1, 0, 0 }, "ip_option.length.range" },
		{ "an IP option of length 41", { 148, 41, 0, 0 }, "ip_option.length.range" },
		{ "an IP option beyond the options", { 148, 5, 0, 0 }, "ip_option.value.bounds" },
		{ "an IP option cut behind its kind", { 1, 1, 1, 148 }, "ip_option.length.bounds" },
		{ "an end of IP options, and anything after it", { 0, 148, 1, 255 }, "" },
	};
	u8 copy[sizeof(packets->syn) + 4];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memcpy(copy, packets->syn, TCP);
		copy[IP]++;
		put_be16(copy + IP + 2, get_be16(copy + IP + 2) + 4);
		memcpy(copy + TCP, cases[i].options, 4);
		memcpy(copy + TCP + 4, packets->syn + TCP, packets->syn_size - TCP);
		expect(format, copy, packets->syn_size + 4, cases[i].rule, cases[i].what);
	}
	copy[IP] = 0x4f;
	put_be16(copy + IP + 2, 59);
	expect(format, copy, IP + 59, "ipv4.options.bounds", "the longest IP header in a shorter packet");
}

/* Loopback loses nothing, so no SACK is seen; one takes the place of twelve bytes of options. */
static void sack_packet(struct format *format, const struct packets *packets)
{
	u8 copy[sizeof(packets->data)];

	memcpy(copy, packets->data, packets->data_size);
	memcpy(copy + OPTIONS, (u8[]){ 1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 9 }, 12);
	expect(format, copy, packets->data_size, "", "a SACK of one block");
	copy[OPTIONS + 11] = 1;
	expect(format, copy, packets->data_size, "sack_block.right.value", "a SACK of an empty block");
}

static void test_packets(const char *capture)
{
	/*
	 * 40 bytes of options cannot be more than 40 options, nor are elements looked for at their end;
	 * the payload is what remains, and a segment takes it all.
	 */
	static const char *const unbreakable[] = {
		"ipv4.options.max", "tcp_segment.options.max", "ip_option.size", "tcp_option.size",
		"ipv4.payload.bounds", "ipv4.payload.filled", NULL,
	};
	static struct format format;
	static struct packets packets;

	open_format(&format, "tests/unit/spec/packet.spec", "ethernet", check_packet);
	packets.accepted.format = &format;
	for_packets(capture, take_packet, &packets);
	end_sweep(&packets.accepted, "captured TCP packets are accepted");
	report(packets.count >= 20, "packet: at least 20 packets were captured (%u)", packets.count);
	if (packets.syn_size != OPTIONS + 20 || packets.syn[OPTIONS] != 2 || packets.syn[OPTIONS + 4] != 4 ||
	    packets.syn[OPTIONS + 6] != 8 || packets.syn[OPTIONS + 16] != 1 || packets.syn[OPTIONS + 17] != 3)
		give_up("packet: a SYN was captured, with the options Linux sends");
	if (!packets.data_size)
		give_up("packet: a packet with data was captured");
	change_packet(&format, &packets);
	cut_packet(&format, &packets);
	route_packet(&format, &packets);
	sack_packet(&format, &packets);
	end_format(&format, unbreakable);
}

/* ---- ELF files ---- */

#define ELF_HEADER 64
#define SEGMENT 56
#define SECTION 64

static u32 find_section(const struct bytes *file, u32 type)
{
	u64 table = get_le(file->data + 40, 8);
	u32 count = (u32)get_le(file->data + 60, 2), i;

	for (i = 0; i < count; i++)
		if (get_le(file->data + table + i * SECTION + 4, 4) == type)
			return (u32)table + i * SECTION;
	give_up("elf64: there is a section of type %u", type);
}

static u32 find_load(const struct bytes *file)
{
	u64 table = get_le(file->data + 32, 8);
	u32 count = (u32)get_le(file->data + 56, 2), i;

	for (i = 0; i < count; i++)
		if (get_le(file->data + table + i * SEGMENT, 4) == 1)
			return (u32)table + i * SEGMENT;
	give_up("elf64: there is a segment to load");
}

/* The file with one number changed, and changed back. */
static void change_elf(struct format *format, const struct bytes *file, u32 at, u32 width, u64 value,
		       const char *rule, const char *what)
{
	u64 before = get_le(file->data + at, width);

	put_le(file->data + at, width, value);
	expect(format, file->data, file->size, rule, what);
	put_le(file->data + at, width, before);
}

static void change_elf_header(struct format *format, const struct bytes *file)
{
	u32 sections = (u32)get_le(file->data + 60, 2);
	const struct change changes[] = {
		{ "another magic", 0, 4, 0x464c4580, "file.magic.value" },
		{ "a 32-bit file", 4, 1, 1, "file.class.value" },
		{ "a big-endian file", 5, 1, 2, "file.data.value" },
		{ "an unknown version of the identification", 6, 1, 0, "file.ident_version.value" },
		{ "padding that is used", 9, 4, 0xffffffff, "" },
		{ "an unknown type of file", 16, 2, 9, "file.type.enum" },
		{ "no type of file", 16, 2, 0, "file.type.enum" },
		{ "any machine", 18, 2, 0xffff, "" },
		{ "an unknown version", 20, 4, 2, "file.version.value" },
		{ "segments behind the file", 32, 8, file->size + 1ull, "file.segments_at.limit" },
		{ "segments at the end of the file", 32, 8, file->size, "file.segment_table.bounds" },
		{ "segments far away", 32, 8, ~0ull, "file.segments_at.limit" },
		{ "sections behind the file", 40, 8, file->size + 1ull, "file.sections_at.range" },
		{ "sections in the header", 40, 8, 63, "file.sections_at.range" },
		{ "sections at the end of the file", 40, 8, file->size, "file.names.bounds" },
		{ "sections one byte too far", 40, 8, get_le(file->data + 40, 8) + 1, "file.names.bounds" },
		{ "a header of another size", 52, 2, 63, "file.header_bytes.value" },
		{ "segments of another size", 54, 2, 32, "file.segment_entry" },
		{ "segments that nobody can count", 56, 2, 0xffff, "file.segments.limit" },
		{ "segments beyond the file", 56, 2, 0xfffe, "file.segment_table.bounds" },
		{ "sections of another size", 58, 2, 40, "file.section_bytes.value" },
		{ "no sections", 60, 2, 0, "file.sections.range" },
		{ "sections counted elsewhere", 60, 2, 0xff00, "file.sections.range" },
		{ "one section more than there is room for", 60, 2, sections + 1, "file.section_table.bounds" },
		{ "names in no section", 62, 2, sections, "file.names_index.limit" },
		{ "names in section 0", 62, 2, 0, "file.names_table" },
	};
	size_t i;

	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		change_elf(format, file, changes[i].at, changes[i].width, changes[i].value, changes[i].rule,
			   changes[i].what);
}

static void change_elf_segment(struct format *format, const struct bytes *file)
{
	u32 at = find_load(file);

	change_elf(format, file, at + 8, 8, file->size + 1ull, "segment.inside", "a segment behind the file");
	change_elf(format, file, at + 8, 8, ~0ull, "segment.inside", "a segment far away");
	change_elf(format, file, at + 32, 8, ~0ull, "segment.inside", "a segment longer than all");
	change_elf(format, file, at + 40, 8, get_le(file->data + at + 32, 8) - 1, "segment.fits",
		   "a segment larger than its memory");
	change_elf(format, file, at + 48, 8, 3, "segment.power_of_two", "a segment aligned to 3");
	change_elf(format, file, at + 16, 8, get_le(file->data + at + 16, 8) + 1, "segment.congruent",
		   "a segment that is not where its page is");
	change_elf(format, file, at + 48, 8, 0, "", "a segment that is not aligned");
}

static void change_elf_section(struct format *format, const struct bytes *file)
{
	u32 sections = (u32)get_le(file->data + 60, 2);
	u32 names = (u32)get_le(file->data + 40, 8) + (u32)get_le(file->data + 62, 2) * SECTION;
	u32 code = find_section(file, 1), dynamic = find_section(file, 6), zeros = find_section(file, 8);
	u64 name_bytes = get_le(file->data + names + 32, 8);
	u32 last = (u32)(get_le(file->data + names + 24, 8) + name_bytes - 1);

	change_elf(format, file, names + 32, 8, 0, "file.names_some", "no names");
	change_elf(format, file, names + 24, 8, file->size + 1ull, "section.inside", "names behind the file");
	change_elf(format, file, last, 1, 'x', "file.last_name_end.zero", "a last name without end");
	change_elf(format, file, code, 4, name_bytes, "section.name.limit", "a name behind the names");
	change_elf(format, file, code, 4, name_bytes - 1, "", "the last name of all, which is empty");
	change_elf(format, file, code + 24, 8, 1ull << 63, "section.offset.limit", "a section far away");
	change_elf(format, file, code + 24, 8, file->size + 1ull, "section.inside", "a section behind the file");
	change_elf(format, file, code + 32, 8, file->size, "section.inside", "a section that ends behind the file");
	change_elf(format, file, zeros + 32, 8, 1ull << 40, "", "more zeros than the file has bytes");
	change_elf(format, file, code + 40, 4, sections, "section.linked", "a link to no section");
	change_elf(format, file, code + 48, 8, 12, "section.power_of_two", "a section aligned to 12");
	change_elf(format, file, find_section(file, 11) + 56, 8, 16, "section.symbols", "symbols of 16 bytes");
	change_elf(format, file, find_section(file, 4) + 56, 8, 12, "section.relocations", "relocations of 12 bytes");
	change_elf(format, file, dynamic + 32, 8, get_le(file->data + dynamic + 32, 8) - 1, "section.whole",
		   "a table that ends inside of an entry");
}

/* Section 0 is all zeros: read as segments, it is one that is not used. */
static void overlap_elf(struct format *format, const struct bytes *file)
{
	u8 header[ELF_HEADER];

	memcpy(header, file->data, ELF_HEADER);
	put_le(file->data + 32, 8, get_le(file->data + 40, 8));
	put_le(file->data + 56, 2, 1);
	expect(format, file->data, file->size, "file.section_table.overlap", "segments inside of the sections");
	memcpy(file->data, header, ELF_HEADER);
}

/* Linkers put the sections last, so that their table is what a cut meets first. */
static void cut_elf(struct format *format, const struct bytes *file, u32 step, const char *what)
{
	u64 segments_at = get_le(file->data + 32, 8), sections_at = get_le(file->data + 40, 8);
	struct sweep cut = { .format = format };
	const char *rule;
	u32 size;

	for (size = 0; size < file->size; size += size < 4096 || file->size - size <= 4096 ? 1 : step) {
		rule = size < ELF_HEADER ? "file.size" : size < segments_at ? "file.segments_at.limit" :
		       size < sections_at ? "file.sections_at.range" : NULL;
		if (!rule && segments_at + get_le(file->data + 56, 2) * SEGMENT > size)
			rule = "file.segment_table.bounds";
		if (!rule && sections_at + (get_le(file->data + 62, 2) + 1) * SECTION > size)
			rule = "file.names.bounds";
		if (!rule && sections_at + get_le(file->data + 60, 2) * SECTION > size)
			rule = "file.section_table.bounds";
		sweep_one(&cut, file->data, size, rule ? rule : "");
	}
	end_sweep(&cut, what);
}

/* paths: an object file, a program, and more of any kind */
static void test_elf(int count, char **paths)
{
	/* names.inside: "section.inside" was kept, so the last byte of the names is in the file */
	static const char *const unbreakable[] = { "file.last_name_end.bounds", NULL };
	static struct format format;
	struct bytes object, program, file;
	int i;

	open_format(&format, "tests/unit/spec/elf64.spec", "file", check_elf64);
	for (i = 0; i < count; i++) {
		file = read_bytes(paths[i]);
		expect(&format, file.data, file.size, "", paths[i]);
		free(file.data);
	}
	object = read_bytes(paths[0]);
	program = read_bytes(paths[1]);
	change_elf_header(&format, &program);
	change_elf_segment(&format, &program);
	change_elf_section(&format, &program);
	overlap_elf(&format, &program);
	cut_elf(&format, &object, 1, "an object file cut at each length");
	cut_elf(&format, &program, 509, "a program cut at its ends' lengths, and at some between");
	shake(&format, object.data, object.size, object.size);
	shake(&format, program.data, program.size, 1024);
	free(object.data);
	free(program.data);
	end_format(&format, unbreakable);
}

/* ---- DHCP ---- */

#define UDP (IP + 20)
#define DHCP (UDP + 8)
#define DHCP_OPTIONS 240

struct messages {
	struct sweep accepted;
	u32 of_kind[9];			/* by message type */
	u8 discover[1500];
	u32 discover_size;
};

/* The message type: the first option of code 53 with one byte. */
static u32 dhcp_kind(const u8 *bytes, u32 size)
{
	u32 at;

	for (at = DHCP_OPTIONS; at + 2 < size && bytes[at] != 255; at += bytes[at] ? 2u + bytes[at + 1] : 1u)
		if (bytes[at] == 53 && bytes[at + 1] == 1)
			return bytes[at + 2];
	return 0;
}

static void take_dhcp(void *arg, const u8 *bytes, u32 size)
{
	struct messages *messages = arg;
	u32 kind;

	if (size < DHCP || bytes[IP] != 0x45 || bytes[IP + 9] != 17)
		give_up("dhcp: only UDP without IP options was captured");
	size = get_be16(bytes + UDP + 4) - 8;
	bytes += DHCP;
	sweep_one(&messages->accepted, bytes, size, "");
	kind = dhcp_kind(bytes, size);
	if (kind < 9)
		messages->of_kind[kind]++;
	shake(messages->accepted.format, bytes, size, 400);
	if (kind == 1 && size <= sizeof(messages->discover)) {
		memcpy(messages->discover, bytes, size);
		messages->discover_size = size;
	}
}

static const struct change dhcp_changes[] = {
	{ "an unknown operation", 0, 1, 3, "message.operation.enum" },
	{ "an Ethernet address of 7 bytes", 2, 1, 7, "message.ethernet_address" },
	{ "an address of 17 bytes", 2, 1, 17, "message.address_length.limit" },
	{ "other hardware, and its address", 1, 2, 0x2010, "" },
	{ "17 hops", 3, 1, 17, "message.hops.limit" },
	{ "a reserved flag", 10, 2, 1, "message.delivery.reserved" },
	{ "broadcast", 10, 2, 0x8000, "" },
	{ "a server name of other letters", 44, 1, 0x80, "message.server_name.ascii" },
	{ "other letters behind the server name", 45, 1, 0x80, "" },
	{ "a boot file of other letters", 108, 1, 0xff, "message.boot_file.ascii" },
	{ "no cookie", 236, 4, 0, "message.cookie.value" },
	{ "another cookie", 236, 4, 0x63825362, "message.cookie.value" },
};

#define OPTION(...) { __VA_ARGS__ }, sizeof((u8[]){ __VA_ARGS__ })

static const struct {
	const char *what;
	u8 options[12];
	u32 size;
	const char *rule;
} dhcp_options[] = {
	{ "no options at all", { 0 }, 0, "" },
	{ "pads and an end", OPTION(0, 0, 255), "" },
	{ "anything behind the end", OPTION(255, 53, 9, 9), "" },
	{ "an option without length", OPTION(0, 53), "option.length.bounds" },
	{ "an option longer than all", OPTION(99, 255, 1, 2), "option.value.bounds" },
	{ "an option nobody knows", OPTION(200, 2, 1, 2, 255), "" },
	{ "message type 0", OPTION(53, 1, 0, 255), "message_type.kind.enum" },
	{ "message type 9", OPTION(53, 1, 9, 255), "message_type.kind.enum" },
	{ "a message type of no bytes", OPTION(53, 0, 255), "option.value.bounds" },
	{ "a message type of two bytes", OPTION(53, 2, 1, 1, 255), "option.value.filled" },
	{ "an address of 3 bytes", OPTION(50, 3, 1, 2, 3, 255), "option.value.bounds" },
	{ "an address of 5 bytes", OPTION(50, 5, 1, 2, 3, 4, 5, 255), "option.value.filled" },
	{ "a subnet mask", OPTION(1, 4, 255, 255, 240, 0, 255), "" },
	{ "a subnet mask with a hole", OPTION(1, 4, 255, 0, 255, 0, 255), "subnet_mask.contiguous" },
	{ "two routers", OPTION(3, 8, 1, 2, 3, 4, 5, 6, 7, 8, 255), "" },
	{ "no router", OPTION(3, 0, 255), "addresses.some" },
	{ "one router and a half", OPTION(3, 6, 1, 2, 3, 4, 5, 6, 255), "addresses.address.whole" },
	{ "a host name of no letters", OPTION(12, 0, 255), "text.some" },
	{ "a host name of other letters", OPTION(12, 2, 'a', 0xe4, 255), "text.name.ascii" },
	{ "overload of both", OPTION(52, 1, 3, 255), "" },
	{ "overload of nothing", OPTION(52, 1, 0, 255), "overload.fields.range" },
	{ "overload of something else", OPTION(52, 1, 4, 255), "overload.fields.range" },
	{ "messages of 576 bytes", OPTION(57, 2, 2, 64, 255), "" },
	{ "messages of 575 bytes", OPTION(57, 2, 2, 63, 255), "largest_message.octets.limit" },
	{ "no parameters", OPTION(55, 0, 255), "parameters.some" },
	{ "a client of no bytes", OPTION(61, 0, 255), "client.size" },
	{ "a client without name", OPTION(61, 1, 1, 255), "client.named" },
};

static void change_dhcp(struct format *format, const struct messages *messages)
{
	u8 copy[DHCP_OPTIONS + 16 + 2000];
	size_t i;

	for (i = 0; i < sizeof(dhcp_changes) / sizeof(dhcp_changes[0]); i++) {
		memcpy(copy, messages->discover, messages->discover_size);
		put_be(copy + dhcp_changes[i].at, dhcp_changes[i].width, dhcp_changes[i].value);
		expect(format, copy, messages->discover_size, dhcp_changes[i].rule, dhcp_changes[i].what);
	}
	memcpy(copy, messages->discover, DHCP_OPTIONS);
	for (i = 0; i < sizeof(dhcp_options) / sizeof(dhcp_options[0]); i++) {
		memcpy(copy + DHCP_OPTIONS, dhcp_options[i].options, dhcp_options[i].size);
		expect(format, copy, DHCP_OPTIONS + dhcp_options[i].size, dhcp_options[i].rule, dhcp_options[i].what);
	}
	memset(copy + DHCP_OPTIONS, 0, 1025);
	expect(format, copy, DHCP_OPTIONS + 1024, "", "1024 options");
	expect(format, copy, DHCP_OPTIONS + 1025, "message.options.max", "1025 options");
}

/* What a message cut at a length is rejected for: found by walking the options. */
static const char *dhcp_cut_rule(const u8 *bytes, u32 size)
{
	u32 at = DHCP_OPTIONS;

	if (size < DHCP_OPTIONS)
		return "message.size";
	while (at < size && bytes[at] != 255) {
		if (!bytes[at]) {
			at++;
			continue;
		}
		if (size - at < 2)
			return "option.length.bounds";
		if (size - at - 2 < bytes[at + 1])
			return "option.value.bounds";
		at += 2u + bytes[at + 1];
	}
	return "";
}

static void cut_dhcp(struct format *format, const struct messages *messages)
{
	struct sweep cut = { .format = format };
	u32 size;

	for (size = 0; size < messages->discover_size; size++)
		sweep_one(&cut, messages->discover, size, dhcp_cut_rule(messages->discover, size));
	end_sweep(&cut, "a message cut at each length");
}

static void test_dhcp(const char *capture)
{
	/* no option is looked for at the end */
	static const char *const unbreakable[] = { "option.size", NULL };
	static struct format format;
	static struct messages messages;

	open_format(&format, "tests/unit/spec/dhcp.spec", "message", check_dhcp);
	messages.accepted.format = &format;
	for_packets(capture, take_dhcp, &messages);
	end_sweep(&messages.accepted, "captured DHCP messages are accepted");
	report(messages.of_kind[1] && messages.of_kind[2] && messages.of_kind[3] && messages.of_kind[5],
	       "dhcp: a client's discover and request, a server's offer and ack were captured");
	if (!messages.discover_size)
		give_up("dhcp: a discover was captured");
	change_dhcp(&format, &messages);
	cut_dhcp(&format, &messages);
	end_format(&format, unbreakable);
}

/* ---- traffic to be captured ---- */

#define CONNECTIONS 4
#define EXCHANGES 4
#define TRAFFIC_SECONDS 10

static void serve(int listener)
{
	char buffer[4096];
	ssize_t got;
	int i, peer;

	for (i = 0; i < CONNECTIONS; i++) {
		peer = accept(listener, NULL, NULL);
		if (peer < 0)
			_exit(1);
		while ((got = read(peer, buffer, sizeof(buffer))) > 0)
			if (write(peer, buffer, (size_t)got) != got)
				_exit(1);
		close(peer);
	}
	_exit(0);
}

static bool talk(const struct sockaddr_in *address, int number)
{
	int peer = socket(AF_INET, SOCK_STREAM, 0), i;
	char text[64], echo[64];
	ssize_t length;

	if (peer < 0 || connect(peer, (const struct sockaddr *)address, sizeof(*address)))
		return false;
	for (i = 0; i < EXCHANGES; i++) {
		length = snprintf(text, sizeof(text), "connection %d, exchange %d\n", number, i);
		if (write(peer, text, (size_t)length) != length ||
		    recv(peer, echo, (size_t)length, MSG_WAITALL) != length)
			return false;
	}
	/* half of the connections end by a reset */
	if (number % 2)
		setsockopt(peer, SOL_SOCKET, SO_LINGER, &(struct linger){ .l_onoff = 1 }, sizeof(struct linger));
	return !close(peer);
}

/* A few connections over 127.0.0.1, with a server of our own. */
static int make_traffic(const char *port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons((u16)atoi(port)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int listener = socket(AF_INET, SOCK_STREAM, 0), status = 1, i;
	pid_t server;

	alarm(TRAFFIC_SECONDS);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 8))
		give_up("port %s is ours: %s", port, strerror(errno));
	server = fork();
	if (!server)
		serve(listener);
	for (i = 0; i < CONNECTIONS; i++)
		if (!talk(&address, i))
			give_up("connection %d: %s", i, strerror(errno));
	waitpid(server, &status, 0);
	return status != 0;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 3 && !strcmp(argv[1], "traffic"))
		return make_traffic(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "packet"))
		test_packets(argv[2]);
	else if (argc == 3 && !strcmp(argv[1], "dhcp"))
		test_dhcp(argv[2]);
	else if (argc > 3 && !strcmp(argv[1], "elf64"))
		test_elf(argc - 2, argv + 2);
	else
		give_up("usage: generality packet CAPTURE | dhcp CAPTURE | elf64 FILE FILE... | traffic PORT");
	return any_failed;
}
