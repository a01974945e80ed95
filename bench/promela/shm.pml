/* The scope "model" (src/Harness/Exploring/Scope.cs, docs/exploring.md) written once more, from
 * the manual pages and docs/machine.md: at most two processes, each with at most one attach, at
 * most two segments of one page, one swap slot. Each option of the loop is one call, in one step,
 * so that states and transitions are those that `shmcheck explore --scope model --no-reduction`
 * counts. With -DNP=3, -DNS=3 there may be more processes or segments.
 *
 * Processes stand in the order in which they were started, segments in that in which they were
 * made. A process is named by its place: what is not there has none, what has ended is DEAD.
 */

#ifndef NP
#define NP 2
#endif
#ifndef NS
#define NS 2
#endif
#define SLOTS 1

#define NOWHERE 255 /* no attach */

#define NOBODY 0    /* names of processes */
#define DEAD 1
#define NAME(p) ((p) + 2)

#define HOLE 0      /* states of a page */
#define DIRTY 1
#define SWAPPED 2

byte np = 1;        /* processes alive */
byte at[NP] = NOWHERE;
bit pte[NP];        /* whether the page is mapped */
byte file[NP];      /* which shmat made the attach: fork hands it on */

byte ns;            /* segments that exist */
byte cpid[NS];
byte lpid[NS];
byte nattch[NS];
bit dest[NS];
bit atime[NS];
bit dtime[NS];
byte page[NS];

byte slots;         /* slots of the swap device in use */

hidden byte i;      /* set before use, in one step */
hidden byte j;
hidden byte files;
hidden byte old[NP];
hidden byte one;

inline clear_segment(s) {
	cpid[s] = NOBODY; lpid[s] = NOBODY; nattch[s] = 0;
	dest[s] = 0; atime[s] = 0; dtime[s] = 0; page[s] = HOLE
}

inline clear_process(p) {
	at[p] = NOWHERE; pte[p] = 0; file[p] = 0
}

/* Later segments take the places of those before them. */
inline destroy(s) {
	if
	:: page[s] == SWAPPED -> slots--
	:: else
	fi;
	i = s;
	do
	:: i + 1 < ns ->
		cpid[i] = cpid[i + 1]; lpid[i] = lpid[i + 1]; nattch[i] = nattch[i + 1];
		dest[i] = dest[i + 1]; atime[i] = atime[i + 1]; dtime[i] = dtime[i + 1];
		page[i] = page[i + 1];
		i++
	:: else -> break
	od;
	ns--;
	clear_segment(ns);
	i = 0;
	do
	:: i < np ->
		if
		:: at[i] != NOWHERE && at[i] > s -> at[i]--
		:: else
		fi;
		i++
	:: else -> break
	od
}

/* Files are numbered in the order of the processes that have them. */
inline number_files() {
	files = 0;
	i = 0;
	do
	:: i < np ->
		old[i] = file[i];
		if
		:: at[i] != NOWHERE ->
			j = 0;
			do
			:: j < i && (at[j] == NOWHERE || old[j] != old[i]) -> j++
			:: else -> break
			od;
			if
			:: j < i -> file[i] = file[j]
			:: else -> files++; file[i] = files
			fi
		:: else
		fi;
		i++
	:: else -> break
	od;
	i = 0 /* no step may end with a break */
}

/* The attach of a process goes. */
inline close(p) {
	one = at[p];
	clear_process(p);
	nattch[one]--;
	dtime[one] = 1;
	lpid[one] = NAME(p);
	if
	:: dest[one] && nattch[one] == 0 -> destroy(one)
	:: else
	fi
}

inline rename_after_exit(s, p) {
	if
	:: cpid[s] == NAME(p) -> cpid[s] = DEAD
	:: cpid[s] > NAME(p) -> cpid[s]--
	:: else
	fi;
	if
	:: lpid[s] == NAME(p) -> lpid[s] = DEAD
	:: lpid[s] > NAME(p) -> lpid[s]--
	:: else
	fi
}

inline shmget(p) {
	cpid[ns] = NAME(p);
	ns++
}

inline shmat(p, s) {
	at[p] = s;
	file[p] = NP + 1;
	number_files();
	nattch[s]++;
	atime[s] = 1;
	lpid[s] = NAME(p)
}

inline shmdt(p) {
	close(p);
	number_files()
}

inline store(p) {
	one = at[p];
	if
	:: page[one] == SWAPPED -> slots--
	:: else
	fi;
	page[one] = DIRTY;
	pte[p] = 1
}

/* The page table is not copied: it fills by faults again. */
inline fork(p) {
	at[np] = at[p];
	file[np] = file[p];
	np++;
	if
	:: at[p] != NOWHERE ->
		nattch[at[p]]++;
		atime[at[p]] = 1;
		lpid[at[p]] = NAME(p)
	:: else
	fi
}

inline exit(p) {
	if
	:: at[p] != NOWHERE -> close(p)
	:: else
	fi;
	i = 0;
	do
	:: i < NS -> rename_after_exit(i, p); i++
	:: else -> break
	od;
	i = p;
	do
	:: i + 1 < np ->
		at[i] = at[i + 1]; pte[i] = pte[i + 1]; file[i] = file[i + 1];
		i++
	:: else -> break
	od;
	np--;
	clear_process(np);
	number_files();
	if
	:: np == 0 -> /* the IPC namespace goes, and its segments with it */
		i = 0;
		do
		:: i < NS -> clear_segment(i); i++
		:: else -> break
		od;
		ns = 0;
		slots = 0
	:: else
	fi
}

inline rmid(s) {
	if
	:: nattch[s] == 0 -> destroy(s)
	:: else -> dest[s] = 1
	fi
}

/* A dirty page without a slot stays, unmapped. */
inline reclaim(s) {
	if
	:: page[s] == DIRTY ->
		i = 0;
		do
		:: i < NP ->
			if
			:: at[i] == s -> pte[i] = 0
			:: else
			fi;
			i++
		:: else -> break
		od;
		if
		:: slots < SLOTS -> slots++; page[s] = SWAPPED
		:: else
		fi
	:: else
	fi
}

active proctype machine() {
end:	do
	:: d_step { np > 0 && ns < NS -> shmget(0) }
	:: d_step { np > 1 && ns < NS -> shmget(1) }
	:: d_step { np > 0 && ns > 0 && at[0] == NOWHERE -> shmat(0, 0) }
	:: d_step { np > 0 && ns > 1 && at[0] == NOWHERE -> shmat(0, 1) }
	:: d_step { np > 1 && ns > 0 && at[1] == NOWHERE -> shmat(1, 0) }
	:: d_step { np > 1 && ns > 1 && at[1] == NOWHERE -> shmat(1, 1) }
	:: d_step { np > 0 && at[0] != NOWHERE -> shmdt(0) }
	:: d_step { np > 1 && at[1] != NOWHERE -> shmdt(1) }
	:: d_step { np > 0 && at[0] != NOWHERE -> store(0) }
	:: d_step { np > 1 && at[1] != NOWHERE -> store(1) }
	:: d_step { np > 0 && np < NP -> fork(0) }
	:: d_step { np > 0 -> exit(0) }
	:: d_step { np > 1 -> exit(1) }
	:: d_step { ns > 0 -> rmid(0) }
	:: d_step { ns > 1 -> rmid(1) }
	:: d_step { ns > 0 -> reclaim(0) }
	:: d_step { ns > 1 -> reclaim(1) }
#if NP > 2
	:: d_step { np > 2 && ns < NS -> shmget(2) }
	:: d_step { np > 2 && ns > 0 && at[2] == NOWHERE -> shmat(2, 0) }
	:: d_step { np > 2 && ns > 1 && at[2] == NOWHERE -> shmat(2, 1) }
	:: d_step { np > 2 && at[2] != NOWHERE -> shmdt(2) }
	:: d_step { np > 2 && at[2] != NOWHERE -> store(2) }
	:: d_step { np > 1 && np < NP -> fork(1) }
	:: d_step { np > 2 -> exit(2) }
#endif
#if NS > 2
	:: d_step { np > 0 && ns > 2 && at[0] == NOWHERE -> shmat(0, 2) }
	:: d_step { np > 1 && ns > 2 && at[1] == NOWHERE -> shmat(1, 2) }
	:: d_step { ns > 2 -> rmid(2) }
	:: d_step { ns > 2 -> reclaim(2) }
#endif
#if NP > 2 && NS > 2
	:: d_step { np > 2 && ns > 2 && at[2] == NOWHERE -> shmat(2, 2) }
#endif
	od
}
