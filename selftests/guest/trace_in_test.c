// SPDX-License-Identifier: GPL-2.0

/*
 * The trace events after a live update, in the order of the handover.
 *
 *	trace_in_test hold	sessions to be handed over
 *	trace_in_test		after the live update
 */

#include "trace_test.h"

FIXTURE(incoming)
{
	int dev;
	struct trace trace;
};

FIXTURE_SETUP(incoming)
{
	self->dev = open_device();
	ASSERT_LE(0, self->dev);
}

FIXTURE_TEARDOWN(incoming)
{
	trace_end(&self->trace);
	close(self->dev);
}

#define IN_LINE(event, name, state, files, ret)				\
	"luo_session_" event ": number=1 name=" name			\
	" dir=in state=" state " files=" files " ret=" ret
#define IN_STATE(name, old, new, ret)					\
	"luo_session_state: number=1 name=" name " dir=in old=" old	\
	" new=" new " event=finish ret=" ret
#define LEAK(name, files, retrieved, reason)				\
	"luo_session_leak: number=1 name=" name " files=" files		\
	" retrieved=" retrieved " age_ns=" NUM " reason=" reason

#define IS_FINISHED(name)						\
	"luo_subsystem_state: number=1 name=" name			\
	" dir=in old=updated new=normal event=finish ret=0"

TEST_F(incoming, claim_retrieve_and_finish_word_by_word)
{
	static const char *const events[] = { "luo", NULL };
	int s;

	trace_start(events);
	claim(self->dev, "nobody");
	s = claim(self->dev, "words");
	claim(self->dev, "words");
	retrieve(s, 2);
	retrieve(s, 2);
	retrieve(s, 1);
	retrieve(s, 1);
	retrieve(s, 3);
	finish(s);
	finish(s);
	finish(s);
	close(s);
	trace_stop(&self->trace);

	static const char *const want[] = {
		IN_LINE("retrieve", "nobody", "updated", "0", "-2"),
		IN_LINE("retrieve", "words", "updated", "2", "0"),
		PHASE("begin", "session", "words", "restore", "1", "2", "0"),
		IN_LINE("retrieve", "words", "updated", "0", "-16"),
		CALL_FAILS("words", "2", TEST_H, "retrieve", "-84"),
		FILE_FAILS("words", "2", TEST_H, "incoming", "failed", "-84"),
		FILE_FAILS("words", "2", TEST_H, "failed", "failed", "-84"),
		CALL("words", "1", TEST_H, "retrieve", "0"),
		FILE_LINE("words", "1", TEST_H, "incoming", "retrieved", "0"),
		FILE_FAILS("words", "3", "", "none", "none", "-2"),
		/* the first file is not ready yet */
		PHASE("begin", "session", "words", "finish", "1", "2", "0"),
		CALL_FAILS("words", "1", TEST_H, "can_finish", "-16"),
		PHASE("end", "session", "words", "finish", "1", "2", "-16"),
		IN_STATE("words", "updated", "updated", "-16"),
		IN_LINE("finish", "words", "updated", "2", "-16"),
		/* now it is; files are finished in reverse order */
		PHASE("begin", "session", "words", "finish", "1", "2", "0"),
		CALL("words", "1", TEST_H, "can_finish", "0"),
		CALL("words", "2", TEST_H, "can_finish", "0"),
		CALL("words", "2", TEST_H, "finish", "0"),
		FILE_LINE("words", "2", TEST_H, "failed", "finished", "0"),
		CALL("words", "1", TEST_H, "finish", "0"),
		FILE_LINE("words", "1", TEST_H, "retrieved", "finished", "0"),
		PHASE("end", "session", "words", "finish", "1", "0", "0"),
		IN_STATE("words", "updated", "normal", "0"),
		PHASE("end", "session", "words", "restore", "1", "0", "0"),
		IN_LINE("finish", "words", "normal", "2", "0"),
		IN_STATE("words", "normal", "normal", "-22"),
		IN_LINE("finish", "words", "normal", "0", "-22"),
		IN_LINE("release", "words", "normal", "0", "0"),
	};
	EXPECT_LINES(&self->trace, want);
}

/* So does the end of each subsystem; the recorder has no callback for it. */
TEST_F(incoming, each_leak_says_why)
{
	static const char *const events[] = {
		"luo/luo_session_leak", "luo/luo_session_release",
		"luo/luo_subsystem_enter", "luo/luo_subsystem_state", "luo/luo_state", NULL
	};
	int s;

	trace_start(events);
	s = claim(self->dev, "dropped");
	retrieve(s, 1);
	close(s);
	event(self->dev, false, LIVEUPDATE_PREPARE);
	event(self->dev, false, LIVEUPDATE_FINISH);
	event(self->dev, false, LIVEUPDATE_FINISH);
	trace_stop(&self->trace);

	static const char *const want[] = {
		IN_LINE("release", "dropped", "updated", "2", "0"),
		LEAK("dropped", "2", "1", "closed"),
		"luo_state: number=2 old=updated new=updated event=prepare ret=-16",
		LEAK("dropped", "2", "1", "discarded"),
		/* can_finish of "never" fails once: it is not discarded yet */
		"luo_state: number=1 old=updated new=updated event=finish ret=-16",
		LEAK("never", "1", "0", "discarded"),
		SUBSYSTEM_ENTER("luo-test-second", "finish"),
		IS_FINISHED("luo-test-second"),
		SUBSYSTEM_ENTER("luo-test-first", "finish"),
		IS_FINISHED("luo-test-first"),
		IS_FINISHED("luo-recorder"),
		"luo_state: number=1 old=updated new=normal event=finish ret=0",
	};
	EXPECT_LINES(&self->trace, want);
}

static int hold(void)
{
	static const struct {
		const char *session;
		int token;
	} files[] = { { "words", 1 }, { "words", 2 }, { "dropped", 1 },
		      { "dropped", 2 }, { "never", 1 } };
	int dev = open_device(), s = -1, t, i;
	const char *name = "";

	for (i = 0; i < 5; i++) {
		if (strcmp(name, files[i].session)) {
			name = files[i].session;
			s = create(dev, name);
		}
		t = test_file(1);
		if (i == 0 || i == 4)
			test_set(t, LIVEUPDATE_TEST_CAN_FINISH, EAGAIN, 1);
		if (i == 1)
			test_set(t, LIVEUPDATE_TEST_RETRIEVE, EILSEQ, 0);
		if (s < 0 || preserve(s, t, files[i].token))
			return 1;
	}
	return hold_until_kexec();
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "hold"))
		return hold();
	return run_cases(argc, argv, "incoming");
}
