using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using ShmCheck.Abi;
using ShmCheck.Harness.Traces;

namespace ShmCheck.Harness.Exporting;

/// <summary>What exported programs have beside their list of calls: no more than that list needs.
/// </summary>
internal static partial class CRuntime
{
    private const ulong Kilobyte = 1024;

    /// <summary>An environment variable: the release of the system says nothing of what it does.
    /// </summary>
    public const string AnyRelease = "ANY_RELEASE";

    /// <summary>Headers, and the names that each is needed for.</summary>
    private static readonly ImmutableArray<(string Header, string[] Names)> Headers =
    [
        ("errno.h", [""]), ("linux/capability.h", ["capabilities("]), ("sched.h", [""]),
        ("setjmp.h", ["touch("]), ("signal.h", [""]), ("stdio.h", [""]),
        ("stdlib.h", ["again(", "getenv("]), ("string.h", [""]), ("sys/mman.h", [""]),
        ("sys/prctl.h", ["prctl("]), ("sys/resource.h", ["limit(", "setrlimit("]),
        ("sys/shm.h", [""]), ("sys/syscall.h", ["syscall("]), ("sys/utsname.h", ["release("]),
        ("unistd.h", [""]),
    ];

    /// <summary>Members of the shared state, and the names that each is needed for.</summary>
    private static readonly ImmutableArray<(string Member, string Name)> Members =
    [
        (" struct shmid_ds ds;", "m->ds"), (" struct shm_info info;", "m->info"),
        (" struct shminfo limits;", "m->limits"),
    ];

    /// <summary>Parts of the program, each with the names that it is needed for. A part comes
    /// behind those that it needs itself.</summary>
    private static readonly ImmutableArray<(string Text, string[] Names)> Parts =
    [
        ("""
        static int gone(long p) { while (kill(p, 0) == 0) sched_yield(); return 0; }
        """, ["gone("]),
        ("""
        static void left(long p) {  // waits for the end of a thread that others of its process outlive
        	char path[64], state = 0; snprintf(path, sizeof path, "/proc/%ld/stat", p);
        	for (FILE *in; state != 'Z'; sched_yield()) if ((in = fopen(path, "r"))) { if (fscanf(in, "%*d (%*[^)]) %c", &state) < 1) state = 0; fclose(in); }
        }
        """, ["left("]),
        ("""
        #define CALL(who, what, want, call) if (mine(n++, who, me)) { long r = (long)(call); judge(what, want, r == -1 ? -errno : r); }
        """, ["CALL("]),
        ("""
        #define FIGURE(what, want, read) if (mine(n++, 0, me)) judge(what, want, read)
        """, ["FIGURE("]),
        ("""
        #define LATE(what, want, read) if (mine(n++, 0, me)) { for (int i = 0; i < 2000 && (read) != want; i++) usleep(1000); judge(what, want, read); }
        """, ["LATE("]),
        ("""
        #define ENDS(who, what, call) if (me == 0 && mine(n, 0, 0)) gone(m->p[who]), m->turn++; if (mine(n++, who, me)) call
        """, ["ENDS("]),
        ("""
        #define LEAVES(who, what, call) if (me == 0 && mine(n, 0, 0)) left(m->p[who]), m->turn++; if (mine(n++, who, me)) call
        """, ["LEAVES("]),
        ("""
        #define VFORK(who, what, child) if (mine(n++, who, me)) clone(begin_vfork, \
        	stacks[child + 1], CLONE_VM | CLONE_VFORK | SIGCHLD, (void *)child##L)
        """, ["VFORK("]),
        ("""
        static int mine(int step, int who, int me) {  // waits for a step: is it this process's?
        	for (; m->turn < step + (who != me); sched_yield()) if (me == 0 && kill(-m->p[1], 0) && m->turn < step + (who != me)) puts("all processes have ended"), m->turn = END;
        	return m->turn == step && who == me;
        }
        static void judge(const char *what, long want, long got) {
        	int wrong = want == SUCCESS ? got < 0 : got != want;
        	if (wrong) dprintf(1, "expected: %s\nseen: %ld %s\n", what, got, got <= RAISED(1) ? strsignal(RAISED(got)) : got < 0 ? strerror(-got) : "");
        	m->turn = wrong ? END : m->turn + 1;
        }
        static void late(int signal) { (void)signal, puts("no answer in a minute"), m->turn = END; }
        """, [""]),
        ("""
        static sigjmp_buf out; static void raised(int signal) { siglongjmp(out, signal); }
        static long touch(long at, int byte) {  // stores a byte, or loads one if it is negative
        	int signal = sigsetjmp(out, 1);
        	if (signal == 0 && byte >= 0) *(volatile char *)at = byte;
        	return signal ? RAISED(signal) : byte < 0 ? *(volatile unsigned char *)at : 0;
        }
        """, ["touch("]),
        ("""
        static int begin(void *who) { m->up = (long)who; TOUCHsteps((long)who); return pause(); }
        """, [""]),
        ("""
        static int begin_vfork(void *who) { m->p[(long)who] = getpid(), m->turn++; return begin(who); }
        """, ["VFORK("]),
        ("""
        static long spawn(int f, long who) { m->p[who] = clone(begin, stacks[who + 1], f | SIGCHLD, (void *)who); while (m->p[who] > 0 && m->up != who) sched_yield(); return m->p[who]; }
        """, ["spawn("]),
        ("""
        static long again(long who) {  // a new program that goes on as the same process
        	char id[24];
        	snprintf(id, sizeof id, "%ld", who);
        	return execl("/proc/SELF/exe", "repro", id, (char *)NULL);
        }
        """, ["again("]),
        ("""
        static long capabilities(unsigned effective, unsigned permitted) {  // only those known here
        	unsigned known = 1 << 24 | 1 << 21 | 1 << 17 | 1 << 15 | 1 << 14 | 1 << 7 | 1 << 6;
        	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
        	struct __user_cap_data_struct d[2]; syscall(SYS_capget, &head, d);
        	d[0].permitted = (d[0].permitted & ~known) | permitted, d[0].effective = (d[0].permitted & ~known) | effective;
        	return syscall(SYS_capset, &head, d);
        }
        """, ["capabilities("]),
        ("""
        static char *text(const char *format, long x) { char *t; return asprintf(&t, format, x) < 0 ? 0 : t; }
        """, ["text("]),
        ("""
        static long number(const char *path, const char *after, const char *format) {
        	char line[512]; long value = MISSING, seen = 0; FILE *in = fopen(path, "r");
        	while (in && value == MISSING && fgets(line, sizeof line, in))
        		if (seen |= strncmp(line, after, strlen(after)) == 0) sscanf(line, format, &value);
        	return in ? fclose(in), value : value;
        }
        """, ["number("]),
        ("""
        static long put(const char *path, const char *format, long value) { FILE *f = fopen(path, "w"); return f && fprintf(f, format, value) > 0 && fclose(f) == 0 ? 0 : -1; }
        """, ["put("]),
        ("""
        static int limit(unsigned long b) { struct rlimit l; getrlimit(RLIMIT_MEMLOCK, &l), l.rlim_cur = b, l.rlim_max = l.rlim_max < b ? b : l.rlim_max; return setrlimit(RLIMIT_MEMLOCK, &l); }
        """, ["limit("]),
        ("""
        static long rights(const char *path, long start) {  // PROT_ bits of the mapping there
        	char line[512]; unsigned long from, found = 0; char r[5] = "";
        	FILE *in = fopen(path, "r");
        	while (in && !found && fgets(line, sizeof line, in)) found = sscanf(line, "%lx-%*x %4s", &from, r) == 2 && from == (unsigned long)start;
        	return in ? fclose(in) : 0, found ? (r[0] == 'r') + (r[1] == 'w') * 2 + (r[2] == 'x') * 4 : MISSING;
        }
        """, ["rights("]),
        ("""
        static struct shmid_ds segment(int id) { struct shmid_ds d = { 0 }; shmctl(id, IPC_STAT, &d); return d; }
        """, ["segment("]),
        ("""
        static struct shm_info info(void) { struct shm_info i = { 0 }; shmctl(0, SHM_INFO, (void *)&i); return i; }
        """, ["info("]),
        ("""
        static int release(void) { struct utsname u; int a = 0, b = 0; uname(&u), sscanf(u.release, "%d.%d", &a, &b); return a * 1000 + b; }
        """, ["release("]),
        ("""
        static void need(int met, const char *what) { if (!met) m->unfit = 77, printf("skipped: %s\n", what); }
        """, [""]),
    ];

    /// <summary>Everything before the list of calls.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="processes">Number of the last process.</param>
    /// <param name="rest">The list of calls, and what is behind it.</param>
    public static string Head(MachineConfig machine, int processes, string rest)
    {
        var parts = new Stack<string>();
        string program = rest;
        foreach ((string text, string[] names) in Parts.Reverse())
        {
            if (Uses(program, names))
            {
                string part = text.Replace("TOUCH", Uses(rest, ["touch("])
                    ? "signal(SIGBUS, raised); signal(SIGSEGV, raised); " : "",
                    StringComparison.Ordinal).Replace(
                        // Of a process whose first thread has ended nothing is left there.
                        "SELF", Uses(rest, ["LEAVES("]) ? "thread-self" : "self",
                        StringComparison.Ordinal);
                parts.Push(part);
                program = part + program;
            }
        }

        var head = new StringBuilder();
        head.Append(CultureInfo.InvariantCulture, $"""
            // {MachineText.Print(machine)}
            // Exit 0: the kernel conforms; 1: it diverges; 77: it cannot be asked. Run it as root.
            #define _GNU_SOURCE

            """);
        foreach ((string header, string[] names) in Headers)
        {
            head.Append(Uses(program, names) ? $"#include <{header}>\n" : "");
        }

        string members = string.Concat(
            Members.Where(m => Uses(program, [m.Name])).Select(m => m.Member));
        head.Append(CultureInfo.InvariantCulture, $$"""
            enum { END = 1 << 30, MISSING = -999 };  // of the list of calls; a figure that is not there
            #define SUCCESS (1L << 40)
            #define RAISED(signal) (-1000L - (signal))
            static struct { volatile int turn, unfit; volatile long up; long s[{{Size(program, 's')}}], a[{{
                Size(program, 'a')}}], p[{{processes + 1}}];{{members}} } *m;  // shared by all processes
            static char stacks[{{processes + 2}}][65536] __attribute__((aligned(16))); static void steps(long me);

            """);
        foreach (string part in parts)
        {
            head.Append(part).Append('\n');
        }

        return head.ToString();
    }

    /// <summary>The function main.</summary>
    /// <param name="trace">The trace.</param>
    /// <param name="calls">The calls.</param>
    /// <param name="steps">The list of calls in C.</param>
    /// <param name="profiles">The first and the last profile with the same calls.</param>
    public static string Main(
        Trace trace, ImmutableArray<SpecifiedCall> calls, string steps,
        (KernelProfile First, KernelProfile Last) profiles)
    {
        MachineConfig machine = trace.Machine;
        ulong low = calls.Select(line => LowAddress(line.Call)).Max() ?? 0;
        CKnob[] knobs =
        [
            .. CKnobs.Needed(machine, [.. calls.Select(line => line.Call)]),
            .. low >= machine.PageSize ? (CKnob[])[CKnobs.LowestAddress] : [],
        ];
        bool executes = Uses(steps, ["again("]);
        var text = new StringBuilder(executes
            ? """

              int main(int argc, char **argv) {
              	if (argc == 1 && ftruncate(dup2(memfd_create("state", 0), 100), sizeof *m)) return 77;
              	m = mmap(NULL, sizeof *m, PROT_READ | PROT_WRITE, MAP_SHARED, 100, 0);
              	if (argc == 2) return m->turn++, begin((void *)atol(argv[1])); else m->turn = -1;

              """
            : """

              int main(void) {
              	m = mmap(NULL, sizeof *m, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), m->turn = -1;

              """);
        text.Append(Release(profiles));
        AddNeeds(text, machine, calls);
        for (int at = 0; at < knobs.Length; at++)
        {
            text.Append(SetKnob(knobs[at], at));
        }

        text.Append("""
            	signal(SIGCHLD, SIG_IGN), sigaction(SIGALRM, &(struct sigaction){ .sa_handler = late }, NULL), alarm(60);
            	m->p[1] = m->unfit ? 0 : clone(begin, stacks[2], SIGCHLD, (void *)1L);
            	if (m->p[1] > 0) for (setpgid(m->p[1], m->p[1]), m->turn = 0, steps(0); kill(-m->p[1], SIGKILL) == 0;) sched_yield();

            """);
        for (int at = 0; at < knobs.Length; at++)
        {
            text.Append(knobs[at].IsOfNamespace ? ""
                : $"\tput(\"{knobs[at].Path}\", \"%ld\", old{at});\n");
        }

        return text.Append("""
            	puts(m->unfit ? "cannot be asked" : m->turn < END ? "conforms" : "diverges");
            	return m->unfit ? m->unfit : m->turn >= END;
            }

            """).ToString();
    }

    /// <summary>Sets a knob; one of the whole machine is kept, to be set back.</summary>
    private static string SetKnob(CKnob knob, int number)
    {
        string path = $"\"{knob.Path}\"";
        ulong value = knob.Value;
        string format = knob.IsUnsigned ? "\"%lu\"" : "\"%ld\"";
        string number64 = value > long.MaxValue ? $"{value}UL" : $"{value}L";
        string keep = knob.IsOfNamespace ? ""
            : $"\tlong old{number} = number({path}, \"\", {format});\n";
        // What a system does not have at all, it has none of.
        string isSet = value == 0 ? "<= 0" : $"== (long){number64}";
        return $"{keep}\tput({path}, {format}, {number64});\n"
            + $"\tneed(number({path}, \"\", {format}) {isSet}, {path});\n";
    }

    /// <summary>Kernels of other versions may do otherwise.</summary>
    private static string Release((KernelProfile First, KernelProfile Last) profiles)
    {
        (KernelProfile first, KernelProfile last) = profiles;
        ImmutableArray<KernelProfile> all = SystemCapabilities.AllProfiles;
        KernelProfile? next =
            all.Order().Where(p => p > last).Cast<KernelProfile?>().FirstOrDefault();
        string from = first == all.Min() ? "" : KernelProfileText.Of(first);
        string to = next is { } below ? KernelProfileText.Of(below) : "";
        string[] conditions =
        [
            .. from.Length > 0 ? [$"release() >= {Number(from)}"] : (string[])[],
            .. to.Length > 0 ? [$"release() < {Number(to)}"] : (string[])[],
        ];
        string words = (from.Length > 0 ? $" {from} or later" : "")
            + (to.Length > 0 ? $" before {to}" : "");
        return conditions.Length == 0 ? ""
            : $"\tneed(getenv(\"{AnyRelease}\") || ({string.Join(" && ", conditions)}), "
                + $"\"needs Linux{words}\");\n";
    }

    private static string Number(string release)
    {
        string[] parts = release.Split('.');
        return $"{parts[0]}{parts[1].PadLeft(3, '0')}";
    }

    private static void AddNeeds(
        StringBuilder text, MachineConfig machine, ImmutableArray<SpecifiedCall> calls)
    {
        void Need(string condition, string what) => text.Append(
            CultureInfo.InvariantCulture, $"\tneed({condition}, \"{what}\");\n");
        Need("unshare(CLONE_NEWIPC) == 0", "needs root, for an IPC namespace of its own");
        if (machine.PageSize != new MachineConfig().PageSize)
        {
            Need($"sysconf(_SC_PAGESIZE) == {machine.PageSize}",
                $"needs pages of {machine.PageSize} bytes");
        }

        if (CKnobs.HasHugePages(machine, calls.Select(line => line.Call)))
        {
            ulong kilobytes = machine.HugePageSize / Kilobyte;
            string size = CFigure.MemInfo("Hugepagesize");
            string orNone = CKnobs.HasPool(machine, calls.Select(line => line.Call)) ? ""
                : $" || {size} == MISSING";
            Need($"{size} == {kilobytes}{orNone}", $"needs huge pages of {kilobytes} kB");
            Need($"{CFigure.MemInfo("HugePages_Free")} == {CFigure.MemInfo("HugePages_Total")}",
                "needs a pool of huge pages that nobody uses");
        }

        if (machine.Overcommit == OvercommitMode.Heuristic && calls.Any(line =>
            line.Expected is ExpectedReply.Error { Errno: Errno.ENOMEM }))
        {
            Need("number(\"/proc/sys/vm/overcommit_memory\", \"\", \"%ld\") == 0",
                "needs vm.overcommit_memory to be 0");
        }

        ulong low = calls.Select(line => LowAddress(line.Call)).Max() ?? 0;
        if (low > 0 && low < machine.PageSize)
        {
            Need($"number(\"{CKnobs.LowestAddress.Path}\", \"\", \"%ld\") >= {machine.PageSize}",
                $"needs vm.mmap_min_addr >= {machine.PageSize}");
        }

        if (machine.SwapSlots > 0)
        {
            ulong kilobytes = machine.SwapSlots * machine.PageSize / Kilobyte;
            Need($"{CFigure.MemInfo("SwapFree")} >= {kilobytes}", $"needs {kilobytes} kB of swap");
        }

        if (machine.SwapSlots == 0
            && calls.Any(line => line.Call is MAdvise { Advice: Advice.MADV_PAGEOUT }))
        {
            Need($"{CFigure.MemInfo("SwapTotal")} == 0", "needs a machine without swap");
        }

        IEnumerable<ulong> limits = calls.Select(line => line.Call switch
        {
            SetRLimit set => set.Limit,
            MLock or ShmCtlLock or ShmGet { Flags.HugeTlb: true } => MachineConfig.DefaultMemLock,
            _ => 0ul,
        }).Where(limit => limit > 0);
        foreach (ulong limit in limits.Append(MachineConfig.DefaultMemLock).Distinct()
            .OrderDescending().Where(_ => limits.Any()))
        {
            Need($"{CCall.Limit(limit)} == 0", $"needs a hard RLIMIT_MEMLOCK of {limit} bytes");
        }
    }

    /// <summary>The address that a call asks for, where to map it takes a right on some machines
    /// and none on others; null for other addresses.</summary>
    private static ulong? LowAddress(Call call) => call switch
    {
        ShmAt at => LowAddress(at.Address),
        MMap map => LowAddress(map.Start),
        MRemap remap => LowAddress(remap.NewAddress),
        _ => null,
    };

    private static ulong? LowAddress(AddressRef address) => address is
        { Kind: AddressRefKind.Literal, Base: > 0 and < MachineConfig.MinMapAddress }
            ? address.Base : null;

    private static bool Uses(string program, string[] names) => names.Any(name =>
        name.Length == 0 || Regex.IsMatch(program, $@"(?<![\w]){Regex.Escape(name)}"));

    /// <summary>Length of an array of the state, whose first element is not used.</summary>
    private static int Size(string program, char array) => Index().Matches(program)
        .Where(match => match.Groups[1].Value[0] == array)
        .Select(match => int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture))
        .Append(1).Max() + 1;

    [GeneratedRegex(@"m->([sap])\[(\d+)\]")]
    private static partial Regex Index();
}
