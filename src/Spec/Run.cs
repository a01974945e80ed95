using ShmCheck.Abi;

namespace ShmCheck.Spec;

/// <summary>One step under way: the state so far, what it runs in, and what has fired. The state
/// itself never changes; a run replaces it.</summary>
internal sealed class Run
{
    private int _attempts;

    public Run(SpecState state, Call call, StepContext context)
    {
        (State, Call, Context) = (state, call, context);
        if (call is ProcessCall made)
        {
            context.Bindings.TryResolve(made.Caller, out int tid);
            Act(state.Tasks[(ulong)tid]);
        }
    }

    public SpecState State { get; set; }

    public Call Call { get; }

    public StepContext Context { get; }

    /// <summary>The task that acts: the caller, or a task that ends.</summary>
    public KernelTask Caller { get; private set; } = null!;

    public Credentials Who => Caller.Credentials;

    public KernelProfile Profile => State.Config.Profile;

    public ulong PageSize => State.Config.PageSize;

    public ThreadGroup Group => State.Groups[(ulong)Caller.Tgid];

    public IpcNamespace Namespace => State.Namespaces[(ulong)Caller.Namespace];

    /// <summary>The address space of the task that acts.</summary>
    public AddressSpace Space
    {
        get => State.Spaces[Caller.Space];
        set => State = State with { Spaces = State.Spaces.Set(Caller.Space, value) };
    }

    /// <summary>From now on this task acts.</summary>
    public void Act(KernelTask task) => Caller = task;

    public void Put(Segment segment) => State = State with
    {
        Segments = State.Segments.Set(segment.Location.Value, segment),
    };

    public void Put(IpcNamespace ns) => State = State with
    {
        Namespaces = State.Namespaces.Set((ulong)ns.Number, ns),
    };

    public void Put(KernelTask task)
    {
        State = State with { Tasks = State.Tasks.Set((ulong)task.Tid, task) };
        Caller = Caller?.Tid == task.Tid ? task : Caller!;
    }

    public void Put(ThreadGroup group) => State = State with
    {
        Groups = State.Groups.Set((ulong)group.Tgid, group),
    };

    public void Put(Mapping mapping)
    {
        AddressSpace space = Space;
        Space = space with { Mappings = space.Mappings.Set(mapping.Start, mapping) };
    }

    public Segment SegmentOf(Mapping mapping) => State.Segments[mapping.Segment!.Value.Value];

    public void Fire(Rule rule) => Context.Log.Add(rule);

    /// <summary>A rule about a number of base pages of the address space of the task that acts.
    /// </summary>
    public void Fire(Rule rule, ulong pages) => Context.Log.Add(rule, Caller.Space, pages);

    public void Moved(PageState from, PageState to) =>
        Context.Log.Add(new PageTransition(from, to));

    /// <summary>The first line of a table whose condition holds on this profile.</summary>
    public Rule? Check<T>(Guard<T>[] table, T request)
    {
        foreach (Guard<T> line in table)
        {
            if (line.Rule.Profiles.Contains(Profile) && line.When(request))
            {
                return line.Rule;
            }
        }

        return null;
    }

    /// <summary>The call fails as a rule says.</summary>
    public StepResult Fails(Rule rule) => Fails(rule, rule.Errno);

    /// <summary>The call fails as a rule says, with an errno that depends on its arguments.
    /// </summary>
    public StepResult Fails(Rule rule, Errno errno)
    {
        Fire(rule);
        return new(State, Reply.Of(errno), rule);
    }

    /// <summary>The access raises the signal that a rule says.</summary>
    public StepResult Raises(Rule rule)
    {
        Fire(rule);
        Reply reply = rule.Signal == Signal.SIGBUS
            ? Reply.Raised.Sigbus : Reply.Raised.Sigsegv;
        return new(State, reply, rule);
    }

    /// <summary>The call succeeds by a rule.</summary>
    public StepResult Returns(Rule rule, long value = 0, ReplyData? data = null)
    {
        Fire(rule);
        Reply reply = value == 0 && data is null ? Reply.Zero : new Reply.Value(value, data);
        return new(State, reply, rule);
    }

    /// <summary>The call fails by a rule, if there is one, and otherwise returns 0.</summary>
    public StepResult FailsOr(Rule? failure, Rule success) =>
        failure is null ? Returns(success) : Fails(failure);

    /// <summary>Counts an allocation of the call; whether it is the one that is made to fail.
    /// </summary>
    public bool IsInjected(AllocationKind kind) =>
        Call.Injection is { } injection && injection.Kind == kind
        && ++_attempts == injection.Nth;

    /// <summary>Whether the call fails for want of a kind of memory that is not counted here.
    /// </summary>
    public bool Lacks(AllocationKind kind) =>
        Call.Injection is { } injection && injection.Kind == kind
        && Context.Choices.Fails(injection);

    /// <summary>Base pages that a number of bytes needs.</summary>
    public ulong Pages(ulong bytes) => new ByteCount(bytes).InUnitsOf(new(PageSize));

    /// <summary>Rounded up to a multiple of <paramref name="unit"/>, modulo 2^64.</summary>
    public static ulong Up(ulong value, ulong unit) => unchecked((value + unit - 1) & ~(unit - 1));

    /// <summary>Rounded up to base pages, modulo 2^64 (PAGE_ALIGN).</summary>
    public ulong Up(ulong value) => Up(value, PageSize);

    public bool IsAligned(ulong value) => (value & (PageSize - 1)) == 0;

    public ulong Resolve(AddressRef reference)
    {
        Context.Bindings.TryResolve(reference, PageSize, out ulong address);
        return address;
    }

    public int Resolve(SegmentRef reference)
    {
        Context.Bindings.TryResolve(reference, out int id);
        return id;
    }

    public int Resolve(ProcessHandle handle)
    {
        Context.Bindings.TryResolve(handle, out int tid);
        return tid;
    }

    /// <summary>The segment with an identifier in the namespace of the task that acts, with the
    /// right sequence number (ipc/util.c:ipc_obtain_object_check).</summary>
    public Segment? FindSegment(int id) =>
        AtIndex(id) is { } found && found.Id.Value == id ? found : null;

    /// <summary>The segment at the index of an identifier.</summary>
    public Segment? AtIndex(int id) => State.Segments.TryGet(
        SegmentKey.Of(Caller.Namespace, new ShmId(id).Index).Value, out Segment? found)
        ? found : null;
}
