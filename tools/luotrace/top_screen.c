// SPDX-License-Identifier: GPL-2.0

#define NCURSES_NOMACROS
#include <locale.h>
#include <ncurses.h>
#include <stdio.h>
#include <string.h>

#include "fmt.h"
#include "msg.h"
#include "top_screen.h"

static SCREEN *screen;
static bool has_bold;

bool top_screen_open(bool bold)
{
	/* Names are UTF-8 whatever the locale is. */
	setlocale(LC_CTYPE, "C.UTF-8");
	screen = newterm(NULL, stdout, stdin);
	if (!screen)
		screen = newterm("vt100", stdout, stdin);
	if (!screen) {
		msg_error("this machine has no description of terminals (terminfo); want --batch");
		return false;
	}
	has_bold = bold;
	cbreak();
	noecho();
	curs_set(0);
	keypad(stdscr, TRUE);
	/* Scrolling is of no use where each line stays. */
	scrollok(stdscr, FALSE);
	return true;
}

void top_screen_close(void)
{
	if (!screen)
		return;
	endwin();
	delscreen(screen);
	screen = NULL;
}

int top_screen_columns(void)
{
	return COLS;
}

int top_screen_lines(void)
{
	return LINES;
}

/* What is wider than the terminal would go on in the next line. */
static void draw_line(int line, const char *text, size_t len)
{
	size_t fits = fmt_fitting(text, COLS);

	mvaddnstr(line, 0, text, len < fits ? len : fits);
}

void top_screen_draw(const char *text, const char *last)
{
	size_t len;
	int line;

	erase();
	for (line = 0; line < LINES - 1 && *text; line++) {
		len = strcspn(text, "\n");
		if (!line && has_bold)
			attron(A_BOLD);
		draw_line(line, text, len);
		attrset(A_NORMAL);
		text += len;
		text += *text == '\n';
	}
	draw_line(LINES - 1, last, strlen(last));
	refresh();
}

int top_screen_key(int wait_ms)
{
	int key;

	timeout(wait_ms);
	key = getch();
	return key == KEY_RESIZE ? TOP_RESIZED : key == ERR ? TOP_NO_KEY : key;
}
