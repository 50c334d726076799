process AUTODIP_DENOISE {
    tag "${meta.id}"
    label 'process_medium'

    // autodip is on no package index yet: the environment installs it from this repository, and
    // the image is built by docker build -f install/Dockerfile -t autodip . in it.
    conda "${projectDir}/../../environment.yml"
    container 'autodip'

    input:
    tuple val(meta), path(image)

    output:
    tuple val(meta), path("denoised/*"), emit: image
    tuple val(meta), path("autodip/*.autodip.json"), emit: sidecar
    tuple val(meta), path("autodip/*.autodip.{png,html}"), emit: report, optional: true
    path "versions.yml", emit: versions

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    def microscope = meta.microscope ? "--microscope '${meta.microscope}'" : ''
    def specimen = meta.specimen ? "--specimen '${meta.specimen}'" : ''
    """
    export OMP_NUM_THREADS=${task.cpus}
    autodip denoise '${image}' -o autodip/ --quiet ${microscope} ${specimen} ${args}

    # What has a sidecar is an image; what else lies beside it is not.
    mkdir denoised
    for sidecar in autodip/*.autodip.json; do
        mv "\${sidecar%.autodip.json}" denoised/
    done

    {
        echo '"${task.process}":'
        autodip --version | sed 's/ /: /; s/^/    /'
    } > versions.yml
    """

    stub:
    """
    mkdir autodip denoised
    touch 'autodip/${image}.autodip.json' 'denoised/${image}'
    {
        echo '"${task.process}":'
        echo '    autodip: stub'
    } > versions.yml
    """
}
