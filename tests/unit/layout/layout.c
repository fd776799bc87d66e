// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compares the layouts and numbers of the specifications with those in the kernel's own
 * headers, where those have them, while this is compiled. docs/layout-check.md lists what
 * is covered, and what the kernel does not define.
 */
#include <linux/hyperv.h>
#include <linux/module.h>
#include <linux/version.h>

#include "control.h"
#include "control_layout.h"
#include "ring.h"
#include "ring_layout.h"

MODULE_DESCRIPTION("Airlock's layouts compared with the kernel's");
MODULE_LICENSE("GPL");

/* The member lies where the specification's field does. */
#define SAME_PLACE(type, member, field)							\
	static_assert(field##_OFFSET == offsetof(type, member), #field "_OFFSET")

/* And it has the same size. */
#define SAME(type, member, field)							\
	SAME_PLACE(type, member, field);						\
	static_assert(field##_SIZE == sizeof_field(type, member), #field "_SIZE")

/* The specification's field lies right behind the member, or right before it. */
#define SAME_BEHIND(type, member, field)						\
	static_assert(field##_OFFSET == offsetofend(type, member), #field "_OFFSET")
#define SAME_BEFORE(type, member, field)						\
	static_assert(field##_OFFSET + field##_SIZE == offsetof(type, member), #field "_OFFSET")

/* The whole is as long as the specification's shortest; longer forms came later. */
#define SAME_SIZE(type, message)							\
	static_assert(message##_SIZE_MIN == sizeof(type), #message "_SIZE_MIN")

#define SAME_VALUE(theirs, ours)							\
	static_assert((u64)(theirs) == (u64)(ours), #ours)

/* ---- control: what carries the messages ---- */

SAME_SIZE(struct hv_message_header, CONTROL_MESSAGE_SLOT);
SAME(struct hv_message, header.message_type, CONTROL_MESSAGE_SLOT_TYPE);
SAME(struct hv_message, header.payload_size, CONTROL_MESSAGE_SLOT_PAYLOAD_SIZE);
SAME(struct hv_message, header.message_flags, CONTROL_MESSAGE_SLOT_FLAGS);
SAME(struct hv_message, header.reserved, CONTROL_MESSAGE_SLOT_RESERVED);
SAME(struct hv_message, header.sender, CONTROL_MESSAGE_SLOT_SENDER);
SAME_PLACE(struct hv_message, u.payload, CONTROL_MESSAGE_SLOT_PAYLOAD);

/* ---- control: messages ---- */

SAME(struct vmbus_channel_message_header, msgtype, CONTROL_HEADER_TYPE);
SAME(struct vmbus_channel_message_header, padding, CONTROL_HEADER_PADDING);

SAME_SIZE(struct vmbus_channel_initiate_contact, CONTROL_INITIATE_CONTACT);
SAME(struct vmbus_channel_initiate_contact, vmbus_version_requested,
     CONTROL_INITIATE_CONTACT_REQUESTED);
SAME(struct vmbus_channel_initiate_contact, target_vcpu, CONTROL_INITIATE_CONTACT_TARGET_VP);
SAME(struct vmbus_channel_initiate_contact, interrupt_page,
     CONTROL_INITIATE_CONTACT_INTERRUPT_PAGE);
SAME(struct vmbus_channel_initiate_contact, msg_sint, CONTROL_INITIATE_CONTACT_SINT);
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
SAME(struct vmbus_channel_initiate_contact, msg_vtl, CONTROL_INITIATE_CONTACT_VTL);
SAME_PLACE(struct vmbus_channel_initiate_contact, reserved, CONTROL_INITIATE_CONTACT_RESERVED);
#else
SAME_PLACE(struct vmbus_channel_initiate_contact, padding1, CONTROL_INITIATE_CONTACT_VTL);
SAME(struct vmbus_channel_initiate_contact, padding2, CONTROL_INITIATE_CONTACT_ASKED);
#endif
SAME_PLACE(struct vmbus_channel_initiate_contact, monitor_page1,
	   CONTROL_INITIATE_CONTACT_MONITORS);
SAME_BEHIND(struct vmbus_channel_initiate_contact, monitor_page2,
	    CONTROL_INITIATE_CONTACT_CLIENT);
static_assert(CONTROL_MONITOR_PAGES_TO_HOST_OFFSET ==
	      offsetof(struct vmbus_channel_initiate_contact, monitor_page2) -
	      offsetof(struct vmbus_channel_initiate_contact, monitor_page1));

SAME_SIZE(struct vmbus_channel_version_response, CONTROL_VERSION_RESPONSE);
SAME(struct vmbus_channel_version_response, version_supported, CONTROL_VERSION_RESPONSE_SUPPORTED);
SAME(struct vmbus_channel_version_response, connection_state, CONTROL_VERSION_RESPONSE_OUTCOME);
SAME(struct vmbus_channel_version_response, padding, CONTROL_VERSION_RESPONSE_RESERVED);
SAME(struct vmbus_channel_version_response, msg_conn_id, CONTROL_VERSION_RESPONSE_CONNECTION_ID);
SAME(struct vmbus_channel_version_response, msg_conn_id, CONTROL_VERSION_RESPONSE_SELECTED);

SAME_SIZE(struct vmbus_channel_offer_channel, CONTROL_OFFER);
SAME(struct vmbus_channel_offer_channel, offer.if_type, CONTROL_OFFER_CLASS);
SAME(struct vmbus_channel_offer_channel, offer.if_instance, CONTROL_OFFER_INSTANCE);
SAME_PLACE(struct vmbus_channel_offer_channel, offer.reserved1, CONTROL_OFFER_RESERVED);
SAME(struct vmbus_channel_offer_channel, offer.chn_flags, CONTROL_OFFER_FLAGS);
SAME(struct vmbus_channel_offer_channel, offer.mmio_megabytes, CONTROL_OFFER_MMIO_MEGABYTES);
SAME(struct vmbus_channel_offer_channel, offer.u.std, CONTROL_OFFER_USER);
SAME(struct vmbus_channel_offer_channel, offer.u.pipe, CONTROL_OFFER_PIPE);
SAME(struct vmbus_channel_offer_channel, offer.u, CONTROL_OFFER_STREAM);
SAME(struct vmbus_channel_offer_channel, offer.sub_channel_index, CONTROL_OFFER_SUBCHANNEL);
SAME(struct vmbus_channel_offer_channel, offer.reserved3, CONTROL_OFFER_RESERVED2);
SAME(struct vmbus_channel_offer_channel, child_relid, CONTROL_OFFER_RELID);
SAME(struct vmbus_channel_offer_channel, monitorid, CONTROL_OFFER_MONITOR_ID);
SAME_BEHIND(struct vmbus_channel_offer_channel, monitorid, CONTROL_OFFER_MONITOR);
SAME_BEFORE(struct vmbus_channel_offer_channel, connection_id, CONTROL_OFFER_INTERRUPT);
SAME(struct vmbus_channel_offer_channel, connection_id, CONTROL_OFFER_CONNECTION_ID);
static_assert(CONTROL_PIPE_USER_DATA_OFFSET == offsetof(struct vmbus_channel_offer, u.pipe.user_def) -
	      offsetof(struct vmbus_channel_offer, u.pipe));

SAME_SIZE(struct vmbus_channel_rescind_offer, CONTROL_RESCIND);
SAME(struct vmbus_channel_rescind_offer, child_relid, CONTROL_RESCIND_RELID);
SAME_SIZE(struct vmbus_channel_relid_released, CONTROL_RELID_RELEASED);
SAME(struct vmbus_channel_relid_released, child_relid, CONTROL_RELID_RELEASED_RELID);

SAME_SIZE(struct vmbus_channel_open_channel, CONTROL_OPEN);
SAME(struct vmbus_channel_open_channel, child_relid, CONTROL_OPEN_RELID);
SAME(struct vmbus_channel_open_channel, openid, CONTROL_OPEN_OPEN_ID);
SAME(struct vmbus_channel_open_channel, ringbuffer_gpadlhandle, CONTROL_OPEN_RING);
SAME(struct vmbus_channel_open_channel, target_vp, CONTROL_OPEN_TARGET_VP);
SAME(struct vmbus_channel_open_channel, downstream_ringbuffer_pageoffset,
     CONTROL_OPEN_DOWNSTREAM_PAGE);
SAME(struct vmbus_channel_open_channel, userdata, CONTROL_OPEN_USER);
SAME_BEHIND(struct vmbus_channel_open_channel, userdata, CONTROL_OPEN_CONNECTION_ID);

SAME_SIZE(struct vmbus_channel_open_result, CONTROL_OPEN_RESULT);
SAME(struct vmbus_channel_open_result, child_relid, CONTROL_OPEN_RESULT_RELID);
SAME(struct vmbus_channel_open_result, openid, CONTROL_OPEN_RESULT_OPEN_ID);
SAME(struct vmbus_channel_open_result, status, CONTROL_OPEN_RESULT_STATUS);

SAME_SIZE(struct vmbus_channel_close_channel, CONTROL_CLOSE);
SAME(struct vmbus_channel_close_channel, child_relid, CONTROL_CLOSE_RELID);

SAME_SIZE(struct vmbus_channel_modifychannel, CONTROL_MODIFY_CHANNEL);
SAME(struct vmbus_channel_modifychannel, child_relid, CONTROL_MODIFY_CHANNEL_RELID);
SAME(struct vmbus_channel_modifychannel, target_vp, CONTROL_MODIFY_CHANNEL_TARGET_VP);
SAME_SIZE(struct vmbus_channel_modifychannel_response, CONTROL_MODIFY_RESPONSE);
SAME(struct vmbus_channel_modifychannel_response, child_relid, CONTROL_MODIFY_RESPONSE_RELID);
SAME(struct vmbus_channel_modifychannel_response, status, CONTROL_MODIFY_RESPONSE_STATUS);

SAME(struct vmbus_channel_gpadl_header, child_relid, CONTROL_GPADL_HEADER_RELID);
SAME(struct vmbus_channel_gpadl_header, gpadl, CONTROL_GPADL_HEADER_HANDLE);
SAME(struct vmbus_channel_gpadl_header, range_buflen, CONTROL_GPADL_HEADER_RANGE_BYTES);
SAME(struct vmbus_channel_gpadl_header, rangecount, CONTROL_GPADL_HEADER_RANGE_COUNT);
SAME_PLACE(struct vmbus_channel_gpadl_header, range, CONTROL_GPADL_HEADER_BYTE_COUNT);
SAME(struct vmbus_channel_gpadl_header, range[0].byte_count, CONTROL_GPADL_HEADER_BYTE_COUNT);
SAME(struct vmbus_channel_gpadl_header, range[0].byte_offset, CONTROL_GPADL_HEADER_BYTE_OFFSET);
SAME_PLACE(struct vmbus_channel_gpadl_header, range[0].pfn_array, CONTROL_GPADL_HEADER_PFNS);

SAME(struct vmbus_channel_gpadl_body, msgnumber, CONTROL_GPADL_BODY_NUMBER);
SAME(struct vmbus_channel_gpadl_body, gpadl, CONTROL_GPADL_BODY_HANDLE);
SAME_PLACE(struct vmbus_channel_gpadl_body, pfn, CONTROL_GPADL_BODY_PFNS);

SAME_SIZE(struct vmbus_channel_gpadl_created, CONTROL_GPADL_CREATED);
SAME(struct vmbus_channel_gpadl_created, child_relid, CONTROL_GPADL_CREATED_RELID);
SAME(struct vmbus_channel_gpadl_created, gpadl, CONTROL_GPADL_CREATED_HANDLE);
SAME(struct vmbus_channel_gpadl_created, creation_status, CONTROL_GPADL_CREATED_STATUS);

SAME_SIZE(struct vmbus_channel_gpadl_teardown, CONTROL_GPADL_TEARDOWN);
SAME(struct vmbus_channel_gpadl_teardown, child_relid, CONTROL_GPADL_TEARDOWN_RELID);
SAME(struct vmbus_channel_gpadl_teardown, gpadl, CONTROL_GPADL_TEARDOWN_HANDLE);
SAME_SIZE(struct vmbus_channel_gpadl_torndown, CONTROL_GPADL_TORNDOWN);
SAME(struct vmbus_channel_gpadl_torndown, gpadl, CONTROL_GPADL_TORNDOWN_HANDLE);

SAME_SIZE(struct vmbus_channel_tl_connect_request, CONTROL_TL_CONNECT);
SAME(struct vmbus_channel_tl_connect_request, guest_endpoint_id, CONTROL_TL_CONNECT_ENDPOINT);
SAME(struct vmbus_channel_tl_connect_request, host_service_id, CONTROL_TL_CONNECT_SERVICE);

/* ---- control: numbers ---- */

SAME_VALUE(CHANNELMSG_OFFERCHANNEL, CONTROL_MESSAGE_TYPE_OFFER);
SAME_VALUE(CHANNELMSG_RESCIND_CHANNELOFFER, CONTROL_MESSAGE_TYPE_RESCIND);
SAME_VALUE(CHANNELMSG_REQUESTOFFERS, CONTROL_MESSAGE_TYPE_REQUEST_OFFERS);
SAME_VALUE(CHANNELMSG_ALLOFFERS_DELIVERED, CONTROL_MESSAGE_TYPE_ALL_OFFERS);
SAME_VALUE(CHANNELMSG_OPENCHANNEL, CONTROL_MESSAGE_TYPE_OPEN);
SAME_VALUE(CHANNELMSG_OPENCHANNEL_RESULT, CONTROL_MESSAGE_TYPE_OPEN_RESULT);
SAME_VALUE(CHANNELMSG_CLOSECHANNEL, CONTROL_MESSAGE_TYPE_CLOSE);
SAME_VALUE(CHANNELMSG_GPADL_HEADER, CONTROL_MESSAGE_TYPE_GPADL_HEADER);
SAME_VALUE(CHANNELMSG_GPADL_BODY, CONTROL_MESSAGE_TYPE_GPADL_BODY);
SAME_VALUE(CHANNELMSG_GPADL_CREATED, CONTROL_MESSAGE_TYPE_GPADL_CREATED);
SAME_VALUE(CHANNELMSG_GPADL_TEARDOWN, CONTROL_MESSAGE_TYPE_GPADL_TEARDOWN);
SAME_VALUE(CHANNELMSG_GPADL_TORNDOWN, CONTROL_MESSAGE_TYPE_GPADL_TORNDOWN);
SAME_VALUE(CHANNELMSG_RELID_RELEASED, CONTROL_MESSAGE_TYPE_RELID_RELEASED);
SAME_VALUE(CHANNELMSG_INITIATE_CONTACT, CONTROL_MESSAGE_TYPE_INITIATE_CONTACT);
SAME_VALUE(CHANNELMSG_VERSION_RESPONSE, CONTROL_MESSAGE_TYPE_VERSION_RESPONSE);
SAME_VALUE(CHANNELMSG_UNLOAD, CONTROL_MESSAGE_TYPE_UNLOAD);
SAME_VALUE(CHANNELMSG_UNLOAD_RESPONSE, CONTROL_MESSAGE_TYPE_UNLOAD_RESPONSE);
SAME_VALUE(CHANNELMSG_TL_CONNECT_REQUEST, CONTROL_MESSAGE_TYPE_TL_CONNECT);
SAME_VALUE(CHANNELMSG_MODIFYCHANNEL, CONTROL_MESSAGE_TYPE_MODIFY_CHANNEL);
SAME_VALUE(CHANNELMSG_TL_CONNECT_RESULT, CONTROL_MESSAGE_TYPE_TL_CONNECT_RESULT);
SAME_VALUE(CHANNELMSG_MODIFYCHANNEL_RESPONSE, CONTROL_MESSAGE_TYPE_MODIFY_RESPONSE);

SAME_VALUE(VERSION_WIN7, CONTROL_VERSION_1_1);
SAME_VALUE(VERSION_WIN8, CONTROL_VERSION_2_4);
SAME_VALUE(VERSION_WIN8_1, CONTROL_VERSION_3_0);
SAME_VALUE(VERSION_WIN10, CONTROL_VERSION_4_0);
SAME_VALUE(VERSION_WIN10_V4_1, CONTROL_VERSION_4_1);
SAME_VALUE(VERSION_WIN10_V5, CONTROL_VERSION_5_0);
SAME_VALUE(VERSION_WIN10_V5_1, CONTROL_VERSION_5_1);
SAME_VALUE(VERSION_WIN10_V5_2, CONTROL_VERSION_5_2);
SAME_VALUE(VERSION_WIN10_V5_3, CONTROL_VERSION_5_3);

SAME_VALUE(VMBUS_CHANNEL_ENUMERATE_DEVICE_INTERFACE, CONTROL_CHANNEL_FLAG_ENUMERATE);
SAME_VALUE(VMBUS_CHANNEL_NAMED_PIPE_MODE, CONTROL_CHANNEL_FLAG_PIPE);
SAME_VALUE(VMBUS_CHANNEL_LOOPBACK_OFFER, CONTROL_CHANNEL_FLAG_LOOPBACK);
SAME_VALUE(VMBUS_CHANNEL_PARENT_OFFER, CONTROL_CHANNEL_FLAG_PARENT);
SAME_VALUE(VMBUS_CHANNEL_REQUEST_MONITORED_NOTIFICATION, CONTROL_CHANNEL_FLAG_MONITORED);
SAME_VALUE(VMBUS_CHANNEL_TLNPI_PROVIDER_OFFER, CONTROL_CHANNEL_FLAG_HVSOCK);
SAME_VALUE(VMBUS_PIPE_TYPE_BYTE, CONTROL_PIPE_MODE_BYTES);
SAME_VALUE(VMBUS_PIPE_TYPE_MESSAGE, CONTROL_PIPE_MODE_MESSAGES);

SAME_VALUE(MAX_USER_DEFINED_BYTES, CONTROL_OFFER_USER_SIZE);
SAME_VALUE(HV_HYP_PAGE_SIZE, CONTROL_PAGE);

/* ---- ring: control page ---- */

SAME_VALUE(HV_HYP_PAGE_SIZE, RING_CONTROL_PAGE_SIZE_MIN);
SAME(struct hv_ring_buffer, write_index, RING_CONTROL_PAGE_WRITE);
SAME(struct hv_ring_buffer, read_index, RING_CONTROL_PAGE_READ);
SAME(struct hv_ring_buffer, interrupt_mask, RING_CONTROL_PAGE_INTERRUPT_MASK);
SAME(struct hv_ring_buffer, pending_send_sz, RING_CONTROL_PAGE_PENDING_SEND_SIZE);
SAME(struct hv_ring_buffer, reserved1, RING_CONTROL_PAGE_RESERVED);
SAME(struct hv_ring_buffer, feature_bits, RING_CONTROL_PAGE_FEATURES);
SAME_PLACE(struct hv_ring_buffer, reserved2, RING_CONTROL_PAGE_RESERVED2);
#if PAGE_SIZE == 4096
SAME_SIZE(struct hv_ring_buffer, RING_CONTROL_PAGE);
SAME(struct hv_ring_buffer, reserved2, RING_CONTROL_PAGE_RESERVED2);
#endif

/* ---- ring: packets ---- */

static_assert(sizeof(struct vmpacket_descriptor) == RING_IN_BAND_HEADER_SIZE);
SAME(struct vmpacket_descriptor, type, RING_HEADER_TYPE);
SAME(struct vmpacket_descriptor, offset8, RING_HEADER_OFFSET8);
SAME(struct vmpacket_descriptor, len8, RING_HEADER_LENGTH8);
SAME(struct vmpacket_descriptor, flags, RING_HEADER_FLAGS);
SAME(struct vmpacket_descriptor, trans_id, RING_HEADER_TRANSACTION);

SAME(struct vmtransfer_page_packet_header, xfer_pageset_id, RING_TRANSFER_PAGES_SET);
SAME(struct vmtransfer_page_packet_header, sender_owns_set, RING_TRANSFER_PAGES_SENDER_OWNS);
SAME(struct vmtransfer_page_packet_header, reserved, RING_TRANSFER_PAGES_RESERVED);
SAME(struct vmtransfer_page_packet_header, range_cnt, RING_TRANSFER_PAGES_RANGE_COUNT);
SAME_PLACE(struct vmtransfer_page_packet_header, ranges, RING_TRANSFER_PAGES_RANGES);
SAME_SIZE(struct vmtransfer_page_range, RING_TRANSFER_RANGE);
SAME(struct vmtransfer_page_range, byte_count, RING_TRANSFER_RANGE_BYTE_COUNT);
SAME(struct vmtransfer_page_range, byte_offset, RING_TRANSFER_RANGE_BYTE_OFFSET);

SAME(struct vmdata_gpa_direct, reserved, RING_GPA_DIRECT_RESERVED);
SAME(struct vmdata_gpa_direct, range_cnt, RING_GPA_DIRECT_RANGE_COUNT);
SAME_PLACE(struct vmdata_gpa_direct, range, RING_GPA_DIRECT_RANGES);
SAME_SIZE(struct gpa_range, RING_GPA_RANGE);
SAME(struct gpa_range, byte_count, RING_GPA_RANGE_BYTE_COUNT);
SAME(struct gpa_range, byte_offset, RING_GPA_RANGE_BYTE_OFFSET);
SAME_PLACE(struct gpa_range, pfn_array, RING_GPA_RANGE_PFNS);

static_assert(sizeof(struct vmpacket_descriptor) == RING_ADD_TRANSFER_SET_ADDED_OFFSET);
SAME_SIZE(struct vmadd_remove_transfer_page_set, RING_ADD_TRANSFER_SET);
SAME_SIZE(struct vmadd_remove_transfer_page_set, RING_REMOVE_TRANSFER_SET);
static_assert(RING_NAMED_SET_SET_OFFSET ==
	      offsetof(struct vmadd_remove_transfer_page_set, xfer_pageset_id) -
	      offsetof(struct vmadd_remove_transfer_page_set, gpadl));
SAME(struct vmestablish_gpadl, gpadl, RING_ESTABLISH_GPADL_GPADL);
SAME(struct vmestablish_gpadl, range_cnt, RING_ESTABLISH_GPADL_RANGE_COUNT);
SAME_PLACE(struct vmestablish_gpadl, range, RING_ESTABLISH_GPADL_RANGES);
SAME_SIZE(struct vmteardown_gpadl, RING_TEARDOWN_GPADL);
SAME_PLACE(struct vmteardown_gpadl, gpadl, RING_TEARDOWN_GPADL_REMOVED);
SAME_SIZE(struct vmgpadl_packet_header, RING_GPADL_DATA);
SAME_PLACE(struct vmgpadl_packet_header, gpadl, RING_GPADL_DATA_BUFFER);
SAME(struct vmadditional_data, total_bytes, RING_ADDITIONAL_DATA_TOTAL_BYTES);
SAME(struct vmadditional_data, offset, RING_ADDITIONAL_DATA_BYTE_OFFSET);
SAME(struct vmadditional_data, byte_cnt, RING_ADDITIONAL_DATA_BYTE_COUNT);
SAME_PLACE(struct vmadditional_data, data, RING_ADDITIONAL_DATA_PAYLOAD);

SAME_VALUE(VM_PKT_SYNCH, RING_PACKET_TYPE_SYNCH);
SAME_VALUE(VM_PKT_ADD_XFER_PAGESET, RING_PACKET_TYPE_ADD_TRANSFER_SET);
SAME_VALUE(VM_PKT_RM_XFER_PAGESET, RING_PACKET_TYPE_REMOVE_TRANSFER_SET);
SAME_VALUE(VM_PKT_ESTABLISH_GPADL, RING_PACKET_TYPE_ESTABLISH_GPADL);
SAME_VALUE(VM_PKT_TEARDOWN_GPADL, RING_PACKET_TYPE_TEARDOWN_GPADL);
SAME_VALUE(VM_PKT_DATA_INBAND, RING_PACKET_TYPE_IN_BAND);
SAME_VALUE(VM_PKT_DATA_USING_XFER_PAGES, RING_PACKET_TYPE_TRANSFER_PAGES);
SAME_VALUE(VM_PKT_DATA_USING_GPADL, RING_PACKET_TYPE_GPADL_DATA);
SAME_VALUE(VM_PKT_DATA_USING_GPA_DIRECT, RING_PACKET_TYPE_GPA_DIRECT);
SAME_VALUE(VM_PKT_CANCEL_REQUEST, RING_PACKET_TYPE_CANCEL);
SAME_VALUE(VM_PKT_COMP, RING_PACKET_TYPE_COMPLETION);
SAME_VALUE(VM_PKT_DATA_USING_ADDITIONAL_PKT, RING_PACKET_TYPE_ADDITIONAL_PACKETS);
SAME_VALUE(VM_PKT_ADDITIONAL_DATA, RING_PACKET_TYPE_ADDITIONAL_DATA);
SAME_VALUE(VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED, RING_PACKET_FLAG_COMPLETION_REQUESTED);
